-- +goose Up
create table people (
  id          bigint generated always as identity primary key,
  uid         uuid not null default gen_random_uuid() unique,
  environment text not null check (environment in ('sandbox', 'production')),
  curp        text not null check (curp ~ '^[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]$'),
  name        text not null default '',
  nss         text not null default '',
  created_at  timestamptz not null default now(),
  unique (environment, curp),
  unique (id, environment)
);

create table consents (
  id             bigint generated always as identity primary key,
  uid            uuid not null default gen_random_uuid() unique,
  person_id      bigint not null references people (id),
  recorded_by    bigint not null references users (id),
  given_at       timestamptz not null,
  expires_at     timestamptz not null check (expires_at > given_at),
  notice_version text not null check (notice_version <> ''),
  means          text not null check (means in ('branch', 'paper', 'web', 'phone')),
  purpose        text not null check (purpose <> ''),
  ip             text not null default '',
  created_at     timestamptz not null default now(),
  unique (id, person_id)
);

-- A lookup repeats the state of its latest attempt, so that lists read one table. Both are written in one transaction.
-- The composite keys keep test and real data apart and a consent with its own person.
create table lookups (
  id               bigint generated always as identity primary key,
  uid              uuid not null default gen_random_uuid() unique,
  environment      text not null,
  person_id        bigint not null,
  connection_id    bigint not null,
  consent_id       bigint not null,
  platform         text not null check (platform <> ''),
  reference        text not null default '' check (length(reference) <= 80),
  source           text not null check (source in ('form', 'bulk', 'refresh')),
  requested_by     bigint not null references users (id),
  requested_at     timestamptz not null default now(),
  status           text not null default 'queued'
                   check (status in ('queued', 'pending', 'expired', 'error', 'incomplete', 'success')),
  actor            text not null generated always as (
                     case status when 'queued' then 'cotejo' when 'pending' then 'source' when 'incomplete' then 'person'
                                 when 'success' then 'nobody' else 'analyst' end) stored,
  detail           text not null default '',
  warning          text not null default '',
  status_at        timestamptz not null default now(),
  profile_state    text not null default 'none'
                   check (profile_state in ('none', 'fetching', 'complete', 'partial', 'empty', 'failed')),
  employment_state text not null default 'none'
                   check (employment_state in ('none', 'fetching', 'complete', 'partial', 'empty', 'failed')),
  records          integer not null default 0,
  employers        integer not null default 0,
  employer         text not null default '',
  employed_since   date,
  ended_on         date,
  monthly_salary   text not null default '',
  foreign key (person_id, environment) references people (id, environment),
  foreign key (connection_id, environment) references connections (id, environment),
  foreign key (consent_id, person_id) references consents (id, person_id),
  unique (id, connection_id)
);
create index lookups_newest on lookups (environment, requested_at desc, id desc);
create index lookups_by_actor on lookups (environment, actor, requested_at desc, id desc);
create index lookups_by_status on lookups (environment, status, requested_at desc, id desc);
create index lookups_by_analyst on lookups (environment, requested_by, requested_at desc, id desc);
create index lookups_failed on lookups (environment, requested_at desc, id desc) where actor in ('analyst', 'person');
create index lookups_by_person on lookups (person_id, requested_at desc, id desc);

create table attempts (
  id               bigint generated always as identity primary key,
  uid              uuid not null default gen_random_uuid() unique, -- what the vendor gets as external_id
  lookup_id        bigint not null,
  connection_id    bigint not null,
  number           integer not null check (number >= 1),
  source           text not null check (source in ('form', 'bulk', 'refresh')),
  status           text not null default 'queued'
                   check (status in ('queued', 'pending', 'expired', 'error', 'incomplete', 'success')),
  detail           text not null default '',
  warning          text not null default '',
  account_id       text not null default '',
  vendor_user_id   text not null default '',
  requested_at     timestamptz not null default now(),
  sent_at          timestamptz,
  settled_at       timestamptz,
  profile_state    text not null default 'none'
                   check (profile_state in ('none', 'fetching', 'complete', 'partial', 'empty', 'failed')),
  employment_state text not null default 'none'
                   check (employment_state in ('none', 'fetching', 'complete', 'partial', 'empty', 'failed')),
  foreign key (lookup_id, connection_id) references lookups (id, connection_id),
  unique (lookup_id, number),
  check ((settled_at is null) = (status in ('queued', 'pending')))
);
create index attempts_account on attempts (connection_id, account_id, id desc) where account_id <> '';
create index attempts_open on attempts (sent_at) where status in ('queued', 'pending');

-- No attempt without a consent that is alive: the database is the gate, whatever the code above it does. given_at comes
-- from the clock of the program, which may be a little ahead of this one.
-- +goose StatementBegin
create function attempts_need_consent() returns trigger language plpgsql as $$
begin
  perform from lookups l join consents c on c.id = l.consent_id
   where l.id = new.lookup_id and c.given_at <= now() + interval '1 minute' and c.expires_at > now();
  if not found then
    raise exception 'no live consent for this lookup' using errcode = 'check_violation', constraint = 'attempts_need_consent';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger attempts_need_consent before insert on attempts for each row execute function attempts_need_consent();

-- The story of an attempt, one line a moment.
create table moments (
  id          bigint generated always as identity primary key,
  attempt_id  bigint not null references attempts (id),
  at          timestamptz not null default clock_timestamp(),
  kind        text not null,
  status      text not null default '',
  text        text not null default '',
  actor_id    bigint references users (id),
  delivery_id bigint,
  took_ms     integer not null default 0
);
create index moments_attempt on moments (attempt_id, id);

-- +goose Down
drop table moments, attempts;
drop function attempts_need_consent;
drop table lookups, consents, people;
