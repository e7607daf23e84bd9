-- +goose Up
-- A facet is one combination of the values by which a list is filtered. There are few that occur (hundreds), and each has its
-- rows in the order of the list, in one index. Whatever filters are combined, a page is merged from the newest rows of the
-- facets that fit: the time it takes does not depend on how rare the combination is. One index does the work of one for
-- each filter, which every receipt paid for. Facets are remembered and never forgotten: an empty one costs a look.
--
-- Bodies are bound here and not looked up by name, since a restored dump computes these columns without a search path.
--
-- Codes and actions are open sets: a vendor may send any. They are told apart by slots, whose number is limited.
create function facet_slot(said text) returns integer language sql immutable parallel safe
return (hashtextextended(said, 0) & 127)::integer;
create function lookup_slot(status text, detail text) returns integer language sql immutable parallel safe
return case when status in ('expired', 'error', 'incomplete') then facet_slot(detail) else 0 end;
create function lookup_facet(environment text, connection_id bigint, platform text, source text, again text, status text, slot integer, employment_state text)
returns bigint language sql immutable parallel safe
return hashtextextended(environment || '/' || connection_id || '/' || platform || '/' || source || '/' || again || '/' || status || '/' || slot || '/' || employment_state, 0);

alter table lookups add column facet bigint not null
  generated always as (lookup_facet(environment, connection_id, platform, source, again, status, lookup_slot(status, detail), employment_state)) stored;

create table lookup_facets (
  facet            bigint primary key
                   generated always as (lookup_facet(environment, connection_id, platform, source, again, status, slot, employment_state)) stored,
  environment      text not null,
  connection_id    bigint not null,
  platform         text not null,
  source           text not null,
  again            text not null,
  status           text not null,
  slot             integer not null, -- of the detail of those that failed
  employment_state text not null
);

-- Lookups by status, and failed ones by the day on which they were asked for and their cause, counted as they move, so that
-- counting reads no lookups. The shard is the connection's own, so that two transactions seldom wait for one row.
create table lookup_counts (
  environment text not null,
  status      text not null,
  shard       smallint not null,
  count       bigint not null,
  primary key (environment, status, shard)
) with (fillfactor = 50);
create table failure_days (
  environment text not null,
  day         date not null, -- in UTC
  status      text not null,
  detail      text not null,
  platform    text not null,
  shard       smallint not null,
  count       bigint not null,
  primary key (environment, day, status, detail, platform, shard)
);

-- +goose StatementBegin
create function lookups_added() returns trigger language plpgsql as $$
begin
  insert into lookup_facets (environment, connection_id, platform, source, again, status, slot, employment_state)
  select distinct environment, connection_id, platform, source, again, status, lookup_slot(status, detail), employment_state from fresh
  on conflict do nothing;
  insert into lookup_counts as c (environment, status, shard, count)
  select environment, status, pg_backend_pid() % 32, count(*) from fresh group by environment, status order by environment, status
  on conflict (environment, status, shard) do update set count = c.count + excluded.count;
  insert into failure_days as d (environment, day, status, detail, platform, shard, count)
  select environment, (requested_at at time zone 'UTC')::date, status, detail, platform, pg_backend_pid() % 32, count(*)
    from fresh where status in ('expired', 'error', 'incomplete') group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
  on conflict (environment, day, status, detail, platform, shard) do update set count = d.count + excluded.count;
  return null;
end $$;
-- +goose StatementEnd
-- Counters are taken in the order of their keys, so that two lookups that move in opposite directions wait and do not deadlock.
-- +goose StatementBegin
create function lookup_moved() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.facet is distinct from old.facet then
    insert into lookup_facets (environment, connection_id, platform, source, again, status, slot, employment_state)
    values (new.environment, new.connection_id, new.platform, new.source, new.again, new.status, lookup_slot(new.status, new.detail), new.employment_state)
    on conflict do nothing;
  end if;
  if tg_op = 'DELETE' or new.status <> old.status then
    insert into lookup_counts as c (environment, status, shard, count)
    select environment, status, pg_backend_pid() % 32, n
      from (values (old.environment, old.status, -1), (new.environment, new.status, 1)) moved (environment, status, n)
     where environment is not null order by status
    on conflict (environment, status, shard) do update set count = c.count + excluded.count;
  end if;
  if tg_op = 'DELETE' or (new.status, new.detail, new.platform) is distinct from (old.status, old.detail, old.platform) then
    insert into failure_days as d (environment, day, status, detail, platform, shard, count)
    select environment, (asked at time zone 'UTC')::date, status, detail, platform, pg_backend_pid() % 32, n
      from (values (old.environment, old.requested_at, old.status, old.detail, old.platform, -1),
                   (new.environment, new.requested_at, new.status, new.detail, new.platform, 1)) moved (environment, asked, status, detail, platform, n)
     where status in ('expired', 'error', 'incomplete') order by status, detail, platform
    on conflict (environment, day, status, detail, platform, shard) do update set count = d.count + excluded.count;
  end if;
  return null;
end $$;
-- +goose StatementEnd
create trigger lookups_added after insert on lookups referencing new table as fresh for each statement execute function lookups_added();
create trigger lookup_moved after update on lookups for each row
  when ((old.facet, old.status, old.detail) is distinct from (new.facet, new.status, new.detail)) execute function lookup_moved();
create trigger lookup_gone after delete on lookups for each row execute function lookup_moved();

insert into lookup_facets (environment, connection_id, platform, source, again, status, slot, employment_state)
select distinct environment, connection_id, platform, source, again, status, lookup_slot(status, detail), employment_state from lookups;
insert into lookup_counts (environment, status, shard, count)
select environment, status, 0, count(*) from lookups group by 1, 2;
insert into failure_days (environment, day, status, detail, platform, shard, count)
select environment, (requested_at at time zone 'UTC')::date, status, detail, platform, 0, count(*)
  from lookups where status in ('expired', 'error', 'incomplete') group by 1, 2, 3, 4, 5;

drop index lookups_by_actor, lookups_by_status, lookups_by_platform, lookups_by_analyst, lookups_failed, lookups_by_connection, lookups_by_source,
  lookups_by_again, lookups_open, lookups_by_detail, lookups_owned;
create index lookups_by_facet on lookups (facet, requested_at desc, id desc);
create index lookups_by_analyst on lookups (requested_by, facet, requested_at desc, id desc);
create index lookups_owned on lookups (owner_id, facet, requested_at desc, id desc) where owner_id is not null;

create function delivery_state(verdict text, processed_at timestamptz, last_error text) returns text language sql immutable parallel safe
return case when verdict = 'refused' then '' when processed_at is not null then 'processed' when last_error <> '' then 'failing' else 'waiting' end;
create function delivery_facet(subscription_id bigint, verdict text, cause text, answered integer, slot integer, state text)
returns bigint language sql immutable parallel safe
return hashtextextended(subscription_id || '/' || verdict || '/' || cause || '/' || answered || '/' || slot || '/' || state, 0);

alter table deliveries add column facet bigint not null generated always as
  (delivery_facet(subscription_id, verdict, cause, answered, facet_slot(action), delivery_state(verdict, processed_at, last_error))) stored;

create table delivery_facets (
  facet           bigint primary key generated always as (delivery_facet(subscription_id, verdict, cause, answered, slot, state)) stored,
  environment     text not null,
  connection_id   bigint not null,
  subscription_id bigint not null,
  verdict         text not null,
  cause           text not null,
  answered        integer not null,
  slot            integer not null, -- of the action
  state           text not null
);

-- +goose StatementBegin
create function deliveries_added() returns trigger language plpgsql as $$
begin
  insert into delivery_facets (environment, connection_id, subscription_id, verdict, cause, answered, slot, state)
  select distinct environment, connection_id, subscription_id, verdict, cause, answered, facet_slot(action), delivery_state(verdict, processed_at, last_error)
    from fresh
  on conflict do nothing;
  return null;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create function delivery_moved() returns trigger language plpgsql as $$
begin
  insert into delivery_facets (environment, connection_id, subscription_id, verdict, cause, answered, slot, state)
  values (new.environment, new.connection_id, new.subscription_id, new.verdict, new.cause, new.answered, facet_slot(new.action),
          delivery_state(new.verdict, new.processed_at, new.last_error))
  on conflict do nothing;
  return null;
end $$;
-- +goose StatementEnd
create trigger deliveries_added after insert on deliveries referencing new table as fresh for each statement execute function deliveries_added();
create trigger delivery_moved after update on deliveries for each row when (old.facet is distinct from new.facet) execute function delivery_moved();

insert into delivery_facets (environment, connection_id, subscription_id, verdict, cause, answered, slot, state)
select distinct environment, connection_id, subscription_id, verdict, cause, answered, facet_slot(action), delivery_state(verdict, processed_at, last_error)
  from deliveries;

drop index deliveries_by_verdict, deliveries_by_connection, deliveries_by_cause, deliveries_by_action, deliveries_open;
create index deliveries_by_facet on deliveries (facet, received_at desc, id desc);
analyze lookup_facets, delivery_facets;

-- +goose Down
drop index deliveries_by_facet;
create index deliveries_by_verdict on deliveries (environment, verdict, received_at desc, id desc);
create index deliveries_by_connection on deliveries (connection_id, received_at desc, id desc);
create index deliveries_by_cause on deliveries (environment, cause, received_at desc, id desc) where cause <> '';
create index deliveries_by_action on deliveries (environment, action, received_at desc, id desc) where action <> '';
create index deliveries_open on deliveries (environment, received_at desc, id desc) where processed_at is null;
drop trigger delivery_moved on deliveries;
drop trigger deliveries_added on deliveries;
drop function delivery_moved, deliveries_added;
drop table delivery_facets;
alter table deliveries drop column facet;
drop function delivery_facet, delivery_state;
drop index lookups_by_facet, lookups_by_analyst, lookups_owned;
create index lookups_by_actor on lookups (environment, actor, requested_at desc, id desc);
create index lookups_by_status on lookups (environment, status, requested_at desc, id desc);
create index lookups_by_analyst on lookups (environment, requested_by, requested_at desc, id desc);
create index lookups_failed on lookups (environment, requested_at desc, id desc) where actor in ('analyst', 'person');
create index lookups_by_platform on lookups (environment, platform, requested_at desc, id desc);
create index lookups_by_connection on lookups (connection_id, requested_at desc, id desc);
create index lookups_by_source on lookups (environment, source, requested_at desc, id desc);
create index lookups_by_again on lookups (environment, again, requested_at desc, id desc) where again <> '';
create index lookups_open on lookups (environment, requested_at desc, id desc) where status in ('queued', 'pending');
create index lookups_by_detail on lookups (environment, detail, requested_at desc, id desc) where actor in ('analyst', 'person');
create index lookups_owned on lookups (owner_id, requested_at desc, id desc) where owner_id is not null;
drop trigger lookup_gone on lookups;
drop trigger lookup_moved on lookups;
drop trigger lookups_added on lookups;
drop function lookup_moved, lookups_added;
drop table failure_days, lookup_counts, lookup_facets;
alter table lookups drop column facet;
drop function lookup_facet, lookup_slot, facet_slot;
