-- +goose Up
-- Many people asked about from one file: one row a bulk, one row for each row of its file. A bulk begins as a draft, judged
-- and not sent; the file's own bytes are kept only that long, so that its columns can be read another way.
create table bulks (
  id                 bigint generated always as identity primary key,
  uid                uuid not null default gen_random_uuid() unique,
  environment        text not null check (environment in ('sandbox', 'production')),
  state              text not null default 'draft' check (state in ('draft', 'sending', 'paused', 'cancelled', 'done')),
  connection_id      bigint not null,
  platform           text not null check (platform <> ''),
  file_name          text not null default '' check (length(file_name) <= 120),
  file               bytea check (length(file) between 1 and 5242880),
  sha256             bytea not null check (length(sha256) = 32),
  encoding           text not null,
  delimiter          text not null,
  columns            text[] not null,
  header             boolean not null,
  identifier_column  integer not null,
  reference_column   integer not null,
  uploaded_by        bigint not null references users (id),
  uploaded_at        timestamptz not null default clock_timestamp(),
  judged_at          timestamptz not null,
  total              integer not null check (total between 1 and 10000),
  chosen             integer not null default 0, -- rows that were to be asked when it was sent
  sent               integer not null default 0, -- rows that have their lookup
  sent_by            bigint references users (id),
  sent_ip            text not null default '',
  sent_at            timestamptz,
  consent_given_at   timestamptz,
  consent_expires_at timestamptz,
  notice_version     text not null default '',
  means              text not null default '' check (means in ('', 'branch', 'paper', 'web', 'phone')),
  purpose            text not null default '',
  finished_at        timestamptz,
  unique (id, connection_id),
  foreign key (connection_id, environment) references connections (id, environment),
  check ((state = 'draft') = (sent_at is null)),
  check ((state = 'draft') = (file is not null)),
  check ((finished_at is not null) = (state in ('cancelled', 'done'))),
  check (sent <= chosen and chosen <= total),
  -- Nothing is sent without the evidence that every lookup of it will carry.
  check (state = 'draft' or (sent_by is not null and consent_given_at is not null and consent_expires_at > consent_given_at
                             and notice_version <> '' and means <> '' and purpose <> ''))
);
create index bulks_newest on bulks (environment, uploaded_at desc, id desc);
create index bulks_file on bulks (environment, sha256) where state <> 'draft';
create index bulks_drafts on bulks (uploaded_at) where state = 'draft';

-- The identifier is personal data. It goes when the row gets its lookup, whose person holds it from then on.
create table bulk_rows (
  bulk_id       bigint not null references bulks (id) on delete cascade,
  number        integer not null check (number >= 1),
  line          integer not null,
  identifier    text not null check (length(identifier) <= 40),
  reference     text not null default '' check (length(reference) <= 80),
  verdict       text not null
                check (verdict in ('send', 'doubtful', 'invalid', 'duplicate', 'recent', 'open', 'limit', 'asked', 'consent', 'cancelled')),
  detail        text not null default '',
  of_line       integer not null default 0,
  lookup_id     bigint unique,
  connection_id bigint,      -- of the lookup: the keys below hold that it is the bulk's
  done_at       timestamptz, -- null: its turn is to come
  primary key (bulk_id, number),
  foreign key (bulk_id, connection_id) references bulks (id, connection_id),
  foreign key (lookup_id, connection_id) references lookups (id, connection_id),
  check ((lookup_id is null) = (connection_id is null)),
  check (lookup_id is null or (verdict in ('send', 'doubtful') and done_at is not null and identifier = ''))
);
create index bulk_rows_waiting on bulk_rows (bulk_id, number) where done_at is null;
create index bulk_rows_named on bulk_rows (bulk_id) where identifier <> '';
create index bulk_rows_verdict on bulk_rows (bulk_id, verdict, number);

-- +goose Down
drop table bulk_rows, bulks;
