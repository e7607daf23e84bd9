-- +goose Up
-- Lists of one analyst or owner read what else they are narrowed by from their index, and no row of the table: those that a
-- list passes by are many where one of its conditions is common and another rare.
drop index lookups_by_analyst, lookups_owned;
create index lookups_by_analyst on lookups (requested_by, facet, requested_at desc, id desc) include (detail);
create index lookups_owned on lookups (owner_id, facet, requested_at desc, id desc) include (requested_by, detail) where owner_id is not null;

-- And those of a tag, which repeats its lookups' detail too (migration 00025).
alter table lookup_tags add column detail text not null default '';
update lookup_tags g set detail = l.detail from lookups l where l.id = g.lookup_id and l.detail <> '';
-- +goose StatementBegin
create or replace function tag_facet() returns trigger language plpgsql as $$
begin
  select l.facet, l.requested_by, l.owner_id, l.detail into new.facet, new.requested_by, new.owner_id, new.detail
    from lookups l where l.id = new.lookup_id for share;
  return new;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create or replace function tags_moved() returns trigger language plpgsql as $$
begin
  update lookup_tags set facet = new.facet, requested_by = new.requested_by, owner_id = new.owner_id, detail = new.detail where lookup_id = new.id;
  return null;
end $$;
-- +goose StatementEnd
drop trigger tags_moved on lookups;
create trigger tags_moved after update on lookups for each row
  when ((old.facet, old.requested_by, old.owner_id, old.detail) is distinct from (new.facet, new.requested_by, new.owner_id, new.detail)) execute function tags_moved();
drop index lookup_tags_by_facet;
create index lookup_tags_by_facet on lookup_tags (tag_id, facet, requested_at desc, lookup_id desc) include (requested_by, owner_id, detail);

-- Words are found by their beginnings. To look for 'garcia':* the index of words gathers every row of every word that begins so,
-- a millisecond for each thousand people; an index in which each beginning is a word of its own looks for one. It is an index and
-- no column, since only searching needs it: words of one or two letters are found whole (find.Query).
create function word_beginnings(words tsvector) returns tsvector language sql immutable strict parallel safe
return array_to_tsvector(array(
  select left(w, n) from unnest(tsvector_to_array(words)) w, generate_series(1, length(w)) n where n > 2 or n = length(w)));
drop index people_words;
create index people_by_beginnings on people using gin (word_beginnings(words)) with (fastupdate = off);

-- Failures are counted by day, and a day begins where the reader is: west is by how many hours later than in UTC. Mexico has
-- four such offsets, summer time among them, and UTC is for those who read logs beside the console. Whoever reads from elsewhere
-- has the hours up to the first whole day in UTC counted one by one (db.Failures).
create function failure_day(asked timestamptz, west integer) returns date language sql stable parallel safe
return (asked at time zone 'UTC' - make_interval(hours => west))::date;
alter table failure_days add column west smallint not null default 0;
alter table failure_days alter column west drop default, drop constraint failure_days_pkey;
insert into failure_days (environment, west, day, status, detail, platform, shard, count)
select environment, west, failure_day(requested_at, west), status, detail, platform, 0, count(*)
  from lookups cross join unnest(array[5, 6, 7, 8]) as w (west) where status in ('expired', 'error', 'incomplete') group by 1, 2, 3, 4, 5, 6;
alter table failure_days add primary key (environment, west, day, status, detail, platform, shard);
-- +goose StatementBegin
create or replace function lookups_added() returns trigger language plpgsql as $$
begin
  insert into lookup_facets (environment, connection_id, platform, source, again, status, slot, employment_state)
  select distinct environment, connection_id, platform, source, again, status, lookup_slot(status, detail), employment_state from fresh
  on conflict do nothing;
  insert into lookup_counts as c (environment, status, shard, count)
  select environment, status, pg_backend_pid() % 32, count(*) from fresh group by environment, status order by environment, status
  on conflict (environment, status, shard) do update set count = c.count + excluded.count;
  insert into failure_days as d (environment, west, day, status, detail, platform, shard, count)
  select environment, west, failure_day(requested_at, west), status, detail, platform, pg_backend_pid() % 32, count(*)
    from fresh cross join unnest(array[0, 5, 6, 7, 8]) as w (west) where status in ('expired', 'error', 'incomplete') group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
  on conflict (environment, west, day, status, detail, platform, shard) do update set count = d.count + excluded.count;
  return null;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create or replace function lookup_moved() returns trigger language plpgsql as $$
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
    insert into failure_days as d (environment, west, day, status, detail, platform, shard, count)
    select environment, west, failure_day(asked, west), status, detail, platform, pg_backend_pid() % 32, n
      from (values (old.environment, old.requested_at, old.status, old.detail, old.platform, -1),
                   (new.environment, new.requested_at, new.status, new.detail, new.platform, 1)) moved (environment, asked, status, detail, platform, n) cross join unnest(array[0, 5, 6, 7, 8]) as w (west)
     where status in ('expired', 'error', 'incomplete') order by west, status, detail, platform
    on conflict (environment, west, day, status, detail, platform, shard) do update set count = d.count + excluded.count;
  end if;
  return null;
end $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function lookups_added() returns trigger language plpgsql as $$
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
-- +goose StatementBegin
create or replace function lookup_moved() returns trigger language plpgsql as $$
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
delete from failure_days where west <> 0;
alter table failure_days drop constraint failure_days_pkey, drop column west;
alter table failure_days add primary key (environment, day, status, detail, platform, shard);
drop function failure_day;
drop index people_by_beginnings;
drop function word_beginnings;
create index people_words on people using gin (words) with (fastupdate = off);
drop index lookup_tags_by_facet;
create index lookup_tags_by_facet on lookup_tags (tag_id, facet, requested_at desc, lookup_id desc) include (requested_by, owner_id);
drop trigger tags_moved on lookups;
create trigger tags_moved after update on lookups for each row
  when ((old.facet, old.requested_by, old.owner_id) is distinct from (new.facet, new.requested_by, new.owner_id)) execute function tags_moved();
-- +goose StatementBegin
create or replace function tag_facet() returns trigger language plpgsql as $$
begin
  select l.facet, l.requested_by, l.owner_id into new.facet, new.requested_by, new.owner_id from lookups l where l.id = new.lookup_id for share;
  return new;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create or replace function tags_moved() returns trigger language plpgsql as $$
begin
  update lookup_tags set facet = new.facet, requested_by = new.requested_by, owner_id = new.owner_id where lookup_id = new.id;
  return null;
end $$;
-- +goose StatementEnd
alter table lookup_tags drop column detail;
drop index lookups_by_analyst, lookups_owned;
create index lookups_by_analyst on lookups (requested_by, facet, requested_at desc, id desc);
create index lookups_owned on lookups (owner_id, facet, requested_at desc, id desc) where owner_id is not null;
