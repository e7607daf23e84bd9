-- +goose Up
create table users (
  id              bigint generated always as identity primary key,
  uid             uuid not null default gen_random_uuid() unique,
  email           text not null check (email = lower(btrim(email)) and email like '%_@_%' and length(email) <= 254),
  name            text not null check (btrim(name) <> '' and length(name) <= 120),
  role            text not null check (role in ('administrator', 'supervisor', 'analyst', 'auditor', 'developer')),
  password_hash   text not null,
  must_change     boolean not null default true,
  language        text not null default 'es-MX' check (language in ('es-MX', 'en')),
  zone            text not null default 'America/Mexico_City',
  theme           text not null default '' check (theme in ('', 'light', 'dark')),
  disabled_at     timestamptz,
  last_sign_in_at timestamptz,
  created_at      timestamptz not null default now()
);
create unique index users_email on users (email);

-- Only the SHA-256 of a session's id is stored: a copy of this table signs nobody in.
create table sessions (
  hash       bytea primary key check (length(hash) = 32),
  user_id    bigint references users (id) on delete cascade,
  data       bytea not null,
  ip         text not null default '',
  user_agent text not null default '',
  created_at timestamptz not null,
  seen_at    timestamptz not null,
  expires_at timestamptz not null
);
create index sessions_user on sessions (user_id) where user_id is not null;
create index sessions_expiry on sessions (expires_at);

-- Failed sign-ins by account and by address, so that guessing slows down across all processes.
create table sign_in_failures (
  key        bytea not null,
  failed_at  timestamptz not null default clock_timestamp()
);
create index sign_in_failures_key on sign_in_failures (key, failed_at);

-- The console as a whole: one row.
create table console (
  one             boolean primary key default true check (one),
  environment     text not null check (environment in ('sandbox', 'production')),
  institution     text not null,
  notice_version  text not null,
  notice_url      text not null default '',
  consent_days    integer not null default 365 check (consent_days between 1 and 3650),
  changed_at      timestamptz not null default now()
);
insert into console (environment, institution, notice_version) values ('sandbox', '', '1.0');

-- Data keys, each wrapped by the key of the process (package seal). The newest one seals.
create table data_keys (
  id         bigint generated always as identity primary key,
  wrapped    bytea not null,
  created_at timestamptz not null default now()
);

-- +goose Down
drop table data_keys, console, sign_in_failures, sessions, users;
