-- +goose Up
-- Stored deliveries processed again: one row a replay, one row for each delivery in it. The set is fixed when the replay
-- begins, so that what comes in meanwhile does not join it and a restart goes on where it stopped.
create table replays (
  id           bigint generated always as identity primary key,
  uid          uuid not null default gen_random_uuid() unique,
  environment  text not null check (environment in ('sandbox', 'production')),
  requested_by bigint not null references users (id),
  requested_ip text not null default '',
  requested_at timestamptz not null default clock_timestamp(),
  state        text not null default 'running' check (state in ('running', 'paused', 'cancelled', 'done')),
  chosen_by    jsonb not null default '{}', -- the filter as the address spelled it, without a text searched for in bodies
  total        integer not null check (total > 0),
  changed      integer not null default 0,
  nothing      integer not null default 0,
  unmatched    integer not null default 0,
  unreadable   integer not null default 0,
  failed       integer not null default 0,
  finished_at  timestamptz,
  unique (id, environment),
  check ((finished_at is not null) = (state in ('cancelled', 'done'))),
  check (changed + nothing + unmatched + unreadable + failed <= total)
);
create index replays_newest on replays (environment, requested_at desc, id desc);

alter table deliveries add constraint deliveries_id_environment unique (id, environment);

create table replay_items (
  replay_id   bigint not null,
  delivery_id bigint not null,
  environment text not null,
  result      text check (result in ('changed', 'nothing', 'unmatched', 'unreadable', 'failed')), -- null: its turn has not come
  verdict_was text not null default '',
  cause_was   text not null default '',
  verdict     text not null default '',
  cause       text not null default '',
  error       text not null default '',
  done_at     timestamptz,
  primary key (replay_id, delivery_id),
  foreign key (replay_id, environment) references replays (id, environment),
  foreign key (delivery_id, environment) references deliveries (id, environment),
  check ((result is null) = (done_at is null)),
  check ((result = 'failed') = (error <> ''))
);
create index replay_items_waiting on replay_items (replay_id, delivery_id) where result is null;
create index replay_items_result on replay_items (replay_id, result, delivery_id) where result is not null;
create index replay_items_delivery on replay_items (delivery_id);

-- Which replay changed it; null: the processing at receipt.
alter table changes add column replay_id bigint references replays (id);
create index changes_replay on changes (replay_id, delivery_id) where replay_id is not null;

-- +goose Down
drop index changes_replay;
alter table changes drop column replay_id;
drop table replay_items;
alter table deliveries drop constraint deliveries_id_environment;
drop table replays;
