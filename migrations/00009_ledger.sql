-- +goose Up
-- The ledger's filters combine; each that may match few rows finds them by an index in the order of the list.
create index deliveries_by_connection on deliveries (connection_id, received_at desc, id desc);
create index deliveries_by_cause on deliveries (environment, cause, received_at desc, id desc) where cause <> '';
create index deliveries_by_action on deliveries (environment, action, received_at desc, id desc) where action <> '';
create index deliveries_open on deliveries (environment, received_at desc, id desc) where processed_at is null;
drop index deliveries_subscription;
create index deliveries_subscription on deliveries (subscription_id, received_at desc, id desc);

-- +goose Down
drop index deliveries_subscription;
create index deliveries_subscription on deliveries (subscription_id, received_at desc);
drop index deliveries_open, deliveries_by_action, deliveries_by_cause, deliveries_by_connection;
