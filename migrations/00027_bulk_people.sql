-- +goose Up
-- A file of the same people is the same wish, however it is spelled: by what its identifiers and the source come to, in order.
-- It goes with the identifiers, since of a file with one person it is that person's hash.
alter table bulks add column people bytea check (length(people) = 32);
create index bulks_people on bulks (environment, people) where state <> 'draft';

-- Names of columns serve to read a draft. In a file without them, the first row's data stood in their place.
update bulks set columns = '{}' where state <> 'draft';
update bulks set columns = array(select case when name ~ '[0-9].*[0-9].*[0-9].*[0-9]' then place::text else name end
                                   from unnest(columns) with ordinality as c (name, place) order by place)
 where state = 'draft';
alter table bulks add constraint bulks_columns check (state = 'draft' or columns = '{}');

-- What a page lists above the receipts, however many exports came after it.
create index exports_without_receipt on exports (environment, id desc) where state not in ('ready', 'expired');

-- +goose Down
drop index exports_without_receipt;
alter table bulks drop constraint bulks_columns;
alter table bulks drop column people;
