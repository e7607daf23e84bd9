-- +goose Up
-- Two details may share a slot (migration 00019): the rows of a rare one are then among those of a common one. Failed lookups
-- are few, so that they can have an index in which each detail is apart.
create index lookups_failed on lookups (facet, detail, requested_at desc, id desc) where status in ('expired', 'error', 'incomplete');

-- The rows of a tag repeat who asked and who owns the case, so that the list of somebody's lookups with a tag reads no lookup
-- of anybody else.
alter table lookup_tags add column requested_by bigint, add column owner_id bigint;
update lookup_tags g set requested_by = l.requested_by, owner_id = l.owner_id from lookups l where l.id = g.lookup_id;
alter table lookup_tags alter column requested_by set not null;
-- +goose StatementBegin
create or replace function tag_facet() returns trigger language plpgsql as $$
begin
  select l.facet, l.requested_by, l.owner_id into new.facet, new.requested_by, new.owner_id from lookups l where l.id = new.lookup_id for share;
  return new;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create or replace function tags_moved() returns trigger language plpgsql as $$
begin
  update lookup_tags set facet = new.facet, requested_by = new.requested_by, owner_id = new.owner_id where lookup_id = new.id;
  return null;
end $$;
-- +goose StatementEnd
drop trigger tags_moved on lookups;
create trigger tags_moved after update on lookups for each row
  when ((old.facet, old.requested_by, old.owner_id) is distinct from (new.facet, new.requested_by, new.owner_id)) execute function tags_moved();
drop index lookup_tags_by_facet;
create index lookup_tags_by_facet on lookup_tags (tag_id, facet, requested_at desc, lookup_id desc) include (requested_by, owner_id);

-- +goose Down
drop index lookup_tags_by_facet;
create index lookup_tags_by_facet on lookup_tags (tag_id, facet, requested_at desc, lookup_id desc);
drop trigger tags_moved on lookups;
create trigger tags_moved after update on lookups for each row when (old.facet is distinct from new.facet) execute function tags_moved();
-- +goose StatementBegin
create or replace function tag_facet() returns trigger language plpgsql as $$
begin
  select l.facet into new.facet from lookups l where l.id = new.lookup_id for share;
  return new;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create or replace function tags_moved() returns trigger language plpgsql as $$
begin
  update lookup_tags set facet = new.facet where lookup_id = new.id;
  return null;
end $$;
-- +goose StatementEnd
alter table lookup_tags drop column requested_by, drop column owner_id;
drop index lookups_failed;
