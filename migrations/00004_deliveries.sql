-- +goose Up
-- Every request that reached a hook of ours. Bodies are bytea: a \u0000 inside is valid JSON and refused by jsonb.
create table deliveries (
  id                 bigint generated always as identity primary key,
  uid                uuid not null default gen_random_uuid() unique,
  environment        text not null,
  subscription_id    bigint not null,
  connection_id      bigint not null,
  received_at        timestamptz not null default clock_timestamp(),
  remote_addr        text not null default '',
  method             text not null,
  headers            json not null,    -- [[name, value], …] as received; a credential's name stands alone
  credentials_sealed bytea,            -- the credential headers; dropped after seven days
  body               bytea not null,
  body_size          bigint not null,
  body_sha256        bytea not null,
  verdict            text not null check (verdict in ('accepted', 'duplicate', 'unmatched', 'ignored', 'refused')),
  cause              text not null default '',
  answered           integer not null,
  answer_micros      integer not null default 0,
  twin_of            bigint references deliveries (id),
  action             text not null default '',
  account_id         text not null default '',
  lookup_id          bigint,
  event_id           bigint,
  processed_at       timestamptz,
  runs               integer not null default 0,
  last_error         text not null default '',
  check (verdict <> 'refused' or cause <> ''),
  foreign key (subscription_id, connection_id, environment) references subscriptions (id, connection_id, environment),
  foreign key (lookup_id, connection_id) references lookups (id, connection_id)
);
create index deliveries_newest on deliveries (environment, received_at desc, id desc);
create index deliveries_by_verdict on deliveries (environment, verdict, received_at desc, id desc);
create index deliveries_by_account on deliveries (environment, account_id, received_at desc, id desc) where account_id <> '';
create index deliveries_same_bytes on deliveries (subscription_id, body_sha256, received_at desc);
create index deliveries_lookup on deliveries (lookup_id, id) where lookup_id is not null;
create index deliveries_waiting on deliveries (connection_id, account_id, id) where verdict = 'unmatched' and cause = '';
create index deliveries_subscription on deliveries (subscription_id, received_at desc);
create index deliveries_twins on deliveries (twin_of) where twin_of is not null;
create index deliveries_event on deliveries (event_id) where event_id is not null;
create index deliveries_credentials on deliveries (received_at) where credentials_sealed is not null;

-- One row per fact, in words that no vendor owns. The key outlives the body, so that an old replay is still caught.
create table events (
  id           bigint generated always as identity primary key,
  attempt_id   bigint not null references attempts (id),
  key          text not null,
  nth          integer not null default 1, -- a success told again after the retry window is a fact of its own
  action       text not null,
  phase        text not null,
  detail       text not null default '',
  delivery_id  bigint references deliveries (id),
  received_at  timestamptz not null,
  unique (attempt_id, key, nth)
);
alter table deliveries add foreign key (event_id) references events (id);
alter table moments add foreign key (delivery_id) references deliveries (id);

-- What a delivery changed, before and after.
create table changes (
  id          bigint generated always as identity primary key,
  delivery_id bigint not null references deliveries (id),
  what        text not null check (what in ('status', 'warning', 'profile', 'employment')),
  before      text not null,
  after       text not null
);
create index changes_delivery on changes (delivery_id, id);

-- +goose Down
drop table changes;
alter table moments drop constraint moments_delivery_id_fkey;
alter table deliveries drop constraint deliveries_event_id_fkey;
drop table events, deliveries;
