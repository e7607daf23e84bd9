-- +goose Up
-- Data on their way: few at any moment, and looked for each minute.
create index attempts_fetching_profile on attempts (id) where profile_state = 'fetching';
create index attempts_fetching_employment on attempts (id) where employment_state = 'fetching';
create index attempt_entities_fetching on attempt_entities (attempt_id, name) where state = 'fetching';

-- +goose Down
drop index attempt_entities_fetching, attempts_fetching_employment, attempts_fetching_profile;
