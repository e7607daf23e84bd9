-- +goose Up
-- What every export leaves behind, small or large. Append-only, like the trail; the file itself is not kept here.
create table receipts (
  id          bigint generated always as identity primary key,
  uid         uuid not null unique,
  environment text not null check (environment in ('sandbox', 'production')),
  kind        text not null check (kind in ('employment', 'bulk', 'lookups', 'records', 'deliveries')),
  subject     uuid,                        -- of the lookup or bulk that it is of
  words       jsonb not null default '{}', -- the filter as the list's address spells it
  zone        text not null,               -- in which the filter's days are meant
  reason      text not null default '' check (length(reason) <= 500),
  people      integer not null check (people between 0 and 101), -- 101: more than a hundred, nobody counted further
  rows        bigint not null check (rows >= 0),
  bytes       bigint not null check (bytes > 0),
  sha256      bytea not null check (length(sha256) = 32),
  made_by     bigint not null references users (id),
  made_name   text not null check (made_name <> ''), -- as it was then: a user may be renamed
  made_at     timestamptz not null default clock_timestamp(),
  check ((kind in ('employment', 'bulk')) = (subject is not null)),
  check (people <= 100 or length(reason) >= 10)
);
create index receipts_newest on receipts (environment, made_at desc, id desc);
create index receipts_own on receipts (environment, made_by, made_at desc, id desc);
create index receipts_hash on receipts (environment, sha256, id desc);

create trigger receipts_fixed before update or delete on receipts for each row execute function refuse_update();
create trigger receipts_kept before truncate on receipts for each statement execute function refuse_update();

-- Exports too large for one answer: made by a job, kept for a day. Each run of the job begins anew and makes the runs before
-- it powerless.
create table exports (
  id          bigint generated always as identity primary key,
  uid         uuid not null default gen_random_uuid() unique,
  environment text not null check (environment in ('sandbox', 'production')),
  kind        text not null check (kind in ('lookups', 'records', 'deliveries')),
  criteria    bytea,                       -- the filter as the job reads it; goes when the job has ended
  words       jsonb not null default '{}',
  zone        text not null,
  reason      text not null default '' check (length(reason) <= 500),
  people      integer not null check (people between 0 and 101),
  asked_by    bigint not null references users (id),
  asked_name  text not null check (asked_name <> ''),
  asked_ip    text not null default '',
  asked_at    timestamptz not null default clock_timestamp(),
  state       text not null default 'waiting' check (state in ('waiting', 'making', 'ready', 'expired', 'cancelled', 'failed')),
  run         integer not null default 0,
  goal        bigint not null default 0, -- items of the list
  done        bigint not null default 0, -- those that are in the file
  rows        bigint not null default 0,
  bytes       bigint not null default 0,
  beat_at     timestamptz not null default clock_timestamp(), -- when it last moved
  finished_at timestamptz,
  expires_at  timestamptz,
  check ((finished_at is null) = (state in ('waiting', 'making'))),
  check ((criteria is null) = (finished_at is not null)),
  check ((expires_at is not null) = (state in ('ready', 'expired')))
);
create index exports_open on exports (beat_at) where state in ('waiting', 'making');
create index exports_file on exports (expires_at) where state = 'ready';
create index exports_asked on exports (environment, asked_by, id desc);
create index exports_newest on exports (environment, id desc);

-- A file in pieces of a mebibyte, each deflated by itself. They are compressed already, so the database need not try.
create table export_chunks (
  export_id bigint not null references exports (id) on delete cascade,
  number    integer not null,
  data      bytea not null,
  primary key (export_id, number)
);
alter table export_chunks alter column data set storage external;

-- +goose Down
drop table export_chunks, exports, receipts;
