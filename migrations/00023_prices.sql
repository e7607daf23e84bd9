-- +goose Up
-- What a billable lookup costs, before VAT, as an administrator read it in the contract: text, because it is computed with
-- exactly. No vendor tells it.
alter table connections
  add column price     text not null default '' check (price ~ '^((0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?)?$'),
  add column currency  text not null default 'MXN' check (currency ~ '^[A-Z]{3}$'),
  add column priced_at timestamptz,
  add column priced_by bigint references users (id),
  add constraint connections_price check ((price = '') = (priced_at is null));

-- +goose Down
alter table connections drop column price, drop column currency, drop column priced_at, drop column priced_by;
