-- +goose Up
create table connections (
  id               bigint generated always as identity primary key,
  uid              uuid not null default gen_random_uuid() unique,
  environment      text not null check (environment in ('sandbox', 'production')),
  dialect          text not null check (dialect in ('palenca', 'buro')),
  name             text not null check (btrim(name) <> ''),
  base_url         text not null,
  key_sealed       bytea not null,
  key_tail         text not null check (length(key_tail) <= 4),
  widget_id        text not null default '',
  calls_per_minute integer not null default 120 check (calls_per_minute between 1 and 120),
  -- Set while the vendor refuses our key: calls wait instead of failing one lookup after another.
  paused_at        timestamptz,
  paused_code      text not null default '',
  -- The token bucket that all processes share. Calls wait until blocked_until when the vendor said so.
  tokens           double precision not null default 0,
  refilled_at      timestamptz not null default now(),
  blocked_until    timestamptz,
  changed_at       timestamptz not null default now(),
  changed_by       bigint references users (id),
  created_at       timestamptz not null default now(),
  unique (id, environment)
);
create unique index connections_one_each on connections (environment, dialect);

create table subscriptions (
  id               bigint generated always as identity primary key,
  uid              uuid not null default gen_random_uuid() unique,
  connection_id    bigint not null,
  environment      text not null,
  name             text not null,
  vendor_id        text not null default '',
  token_hash       bytea not null unique check (length(token_hash) = 32),
  token_sealed     bytea not null,
  token_tail       text not null,
  events           text[] not null default '{"*"}',
  active           boolean not null default true,
  created_at       timestamptz not null default now(),
  foreign key (connection_id, environment) references connections (id, environment),
  unique (id, connection_id, environment)
);
create index subscriptions_connection on subscriptions (connection_id);

-- +goose Down
drop table subscriptions, connections;
