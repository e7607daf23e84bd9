-- +goose Up
-- What a subscription asks of a request beyond its secret address. Any combination; each has to pass.
alter table subscriptions
  add column signature          text not null default 'off' check (signature in ('off', 'optional', 'required')),
  add column signature_header   text not null default 'X-Signature' check (signature_header <> ''),
  add column signature_encoding text not null default 'base64' check (signature_encoding in ('base64', 'base64url', 'hex')),
  add column jwt                boolean not null default false,
  add column headers            boolean not null default false,
  add column token              boolean not null default false,
  add column standard           boolean not null default false,
  add column addresses          text not null default 'off' check (addresses in ('off', 'warn', 'enforce')),
  add column window_minutes     integer not null default 20 check (window_minutes between 1 and 1440),
  add column vendor_active      boolean not null default true,  -- as last seen at the vendor
  add column vendor_seen_at     timestamptz,
  add column changed_at         timestamptz not null default now(),
  add column changed_by         bigint references users (id),
  add column deleted_at         timestamptz; -- deliveries keep pointing here

-- Secrets of a subscription, sealed. Several of a kind may live at once, so that a rotation loses nothing.
create table subscription_secrets (
  id              bigint generated always as identity primary key,
  uid             uuid not null default gen_random_uuid() unique,
  subscription_id bigint not null references subscriptions (id),
  kind            text not null check (kind in ('signature', 'jwt', 'header', 'standard', 'client')),
  name            text not null default '', -- a header's name, a client's id
  sealed          bytea not null,
  hash            bytea,                    -- of a client's secret
  tail            text not null default '',
  raw             boolean not null default false, -- used as its characters, not decoded
  created_at      timestamptz not null default now(),
  expires_at      timestamptz,              -- end of its overlap
  check ((kind in ('header', 'client')) = (name <> ''))
);
create index subscription_secrets_of on subscription_secrets (subscription_id, kind, id);
create unique index subscription_clients on subscription_secrets (name) where kind = 'client';

-- Tokens that POST /oauth/token gave out. Only a hash is kept.
create table hook_tokens (
  hash       bytea primary key check (length(hash) = 32),
  secret_id  bigint not null references subscription_secrets (id) on delete cascade,
  issued_at  timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index hook_tokens_of on hook_tokens (secret_id, expires_at);

-- Where the vendor sends from, by its own list.
create table outbound_addresses (
  connection_id bigint not null references connections (id),
  address       cidr not null,
  seen_at       timestamptz not null default now(),
  primary key (connection_id, address)
);

-- Deliveries counted by hour as they come, so that charts and banners scan nothing, and refused ones beyond the quota
-- are at least counted. The shard is random: one row an hour would make every receipt wait for the one before.
create table delivery_hours (
  subscription_id bigint not null references subscriptions (id),
  hour            timestamptz not null,
  verdict         text not null,
  cause           text not null default '',
  shard           smallint not null,
  count           bigint not null default 0,
  kept            bigint not null default 0,
  bytes           bigint not null default 0,
  primary key (subscription_id, hour, verdict, cause, shard)
);
create index delivery_hours_newest on delivery_hours (hour desc);

alter table deliveries
  add column checks jsonb not null default '[]'; -- how each check went at receipt

-- +goose Down
alter table deliveries drop column checks;
drop table delivery_hours, outbound_addresses, hook_tokens, subscription_secrets;
alter table subscriptions
  drop column signature, drop column signature_header, drop column signature_encoding, drop column jwt, drop column headers,
  drop column token, drop column standard, drop column addresses, drop column window_minutes, drop column vendor_active,
  drop column vendor_seen_at, drop column changed_at, drop column changed_by, drop column deleted_at;
