-- +goose Up
-- One fetch of profile or employment with its raw bytes and their hash; never edited.
create table pulls (
  id          bigint generated always as identity primary key,
  uid         uuid not null default gen_random_uuid() unique,
  lookup_id   bigint not null references lookups (id),
  attempt_id  bigint not null references attempts (id),
  event_id    bigint references events (id),
  kind        text not null check (kind in ('profile', 'employment')),
  state       text not null check (state in ('complete', 'partial', 'empty', 'failed')),
  fetched_at  timestamptz not null default clock_timestamp(),
  http_status integer not null,
  took_ms     integer not null,
  code        text not null default '',
  body        bytea not null,
  sha256      bytea not null check (length(sha256) = 32)
);
create index pulls_lookup on pulls (lookup_id, kind, id desc);

create table profiles (
  pull_id    bigint primary key references pulls (id),
  account_id text not null default '',
  first_name text not null default '',
  last_name  text not null default '',
  email      text not null default '',
  phone      text not null default '',
  birthday   date
);
create table profile_ids (
  pull_id  bigint not null references profiles (pull_id),
  position integer not null,
  type     text not null,
  name     text not null,
  value    text not null,
  primary key (pull_id, position)
);

create table employments (
  pull_id            bigint primary key references pulls (id),
  platform           text not null default '',
  account_id         text not null default '',
  id_type            text not null default '',
  status             text not null default '',
  complete           text not null default '',
  end_of_rights      text not null default '',
  quoted_weeks       integer,
  discounted_weeks   integer,
  reintegrated_weeks integer,
  files              text[] not null default '{}'
);
-- Amounts keep the text received: what a source gave is never recomputed.
create table employment_records (
  pull_id           bigint not null references employments (pull_id),
  position          integer not null,
  employer          text not null default '',
  registration      text not null default '',
  start_date        date,
  end_date          date,
  federal_entity    text not null default '',
  base_salary       text not null default '',
  monthly_salary    text not null default '',
  job_title         text not null default '',
  designation       text not null default '',
  modality          text not null default '',
  payment_frequency text not null default '',
  quoted_days       text not null default '',
  primary key (pull_id, position)
);
create table employment_movements (
  pull_id      bigint not null references employments (pull_id),
  position     integer not null,
  type         text not null,
  employer     text not null default '',
  registration text not null default '',
  event_date   date,
  end_date     date,
  base_salary  text not null default '',
  primary key (pull_id, position)
);

-- A pull and what was read from it stay as they came. Retention blocks and deletes whole rows, under its own rules.
-- +goose StatementBegin
create function refuse_update() returns trigger language plpgsql as $$
begin
  raise exception '% is never edited', tg_table_name using errcode = 'restrict_violation';
end $$;
-- +goose StatementEnd
create trigger pulls_fixed before update on pulls for each row execute function refuse_update();
create trigger profiles_fixed before update on profiles for each row execute function refuse_update();
create trigger profile_ids_fixed before update on profile_ids for each row execute function refuse_update();
create trigger employments_fixed before update on employments for each row execute function refuse_update();
create trigger employment_records_fixed before update on employment_records for each row execute function refuse_update();
create trigger employment_movements_fixed before update on employment_movements for each row execute function refuse_update();

-- +goose Down
drop table employment_movements, employment_records, employments, profile_ids, profiles, pulls;
drop function refuse_update;
