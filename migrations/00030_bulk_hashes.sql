-- +goose Up
-- Of a file with one CURP, the hash can be found by trying CURPs. So it goes when the hash of the people does (migration 00027);
-- a draft is recognised by it.
alter table bulks alter column sha256 drop not null;
alter table bulks add constraint bulks_sha256 check (state <> 'draft' or sha256 is not null);

-- +goose Down
update bulks set sha256 = sha256(convert_to(uid::text, 'UTF8')) where sha256 is null; -- of no file
alter table bulks drop constraint bulks_sha256;
alter table bulks alter column sha256 set not null;
