-- +goose Up
-- A tag may be on many lookups of which few fit the rest of a filter: its rows repeat the facet (migration 00019) of their lookup.
alter table lookup_tags add column facet bigint;
update lookup_tags g set facet = l.facet from lookups l where l.id = g.lookup_id;
alter table lookup_tags alter column facet set not null;

-- The lock lets no lookup move between the reading of its facet and the commit of the tag.
-- +goose StatementBegin
create function tag_facet() returns trigger language plpgsql as $$
begin
  select l.facet into new.facet from lookups l where l.id = new.lookup_id for share;
  return new;
end $$;
-- +goose StatementEnd
create trigger tag_facet before insert on lookup_tags for each row execute function tag_facet();
-- +goose StatementBegin
create function tags_moved() returns trigger language plpgsql as $$
begin
  update lookup_tags set facet = new.facet where lookup_id = new.id;
  return null;
end $$;
-- +goose StatementEnd
create trigger tags_moved after update on lookups for each row when (old.facet is distinct from new.facet) execute function tags_moved();
create index lookup_tags_by_facet on lookup_tags (tag_id, facet, requested_at desc, lookup_id desc);

-- +goose Down
drop trigger tags_moved on lookups;
drop trigger tag_facet on lookup_tags;
drop function tags_moved, tag_facet;
alter table lookup_tags drop column facet;
