-- +goose Up
-- A tag together with who asked or whose case it is, and both of these together: each has rows that the other lacks, and looked
-- for within one alone, a list of few or none would be read past all of the other's. Only lookups with a tag or an owner stand here.
create index lookup_tags_by_analyst on lookup_tags (tag_id, requested_by, facet, requested_at desc, lookup_id desc) include (owner_id, detail);
create index lookup_tags_by_owner on lookup_tags (tag_id, owner_id, facet, requested_at desc, lookup_id desc) include (requested_by, detail)
 where owner_id is not null;
create index lookups_owned_by_analyst on lookups (owner_id, requested_by, facet, requested_at desc, id desc) include (detail)
 where owner_id is not null;

-- +goose Down
drop index lookups_owned_by_analyst;
drop index lookup_tags_by_owner;
drop index lookup_tags_by_analyst;
