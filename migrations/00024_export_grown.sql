-- +goose Up
-- A list may grow between the moment somebody asks for its export and the moment the file is made. One that came to hold the
-- data of more people than may be taken out without a reason is not made.
alter table exports drop constraint exports_state_check;
alter table exports add constraint exports_state_check check (state in ('waiting', 'making', 'ready', 'expired', 'cancelled', 'failed', 'grown'));

-- +goose Down
update exports set state = 'failed' where state = 'grown';
alter table exports drop constraint exports_state_check;
alter table exports add constraint exports_state_check check (state in ('waiting', 'making', 'ready', 'expired', 'cancelled', 'failed'));
