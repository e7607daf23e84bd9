-- +goose Up
-- Bytes first: the search for a copy must never become a walk through all that a hook received lately.
drop index deliveries_same_bytes;
create index deliveries_same_bytes on deliveries (body_sha256, subscription_id, received_at desc);

-- +goose Down
drop index deliveries_same_bytes;
create index deliveries_same_bytes on deliveries (subscription_id, body_sha256, received_at desc);
