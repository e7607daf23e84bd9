-- +goose Up
-- The page of a person lists consents with everything else, by time; the list of lookups can be narrowed to one source.
create index consents_of_person on consents (person_id, created_at desc, id desc);
create index lookups_by_platform on lookups (environment, platform, requested_at desc, id desc);

-- +goose Down
drop index consents_of_person, lookups_by_platform;
