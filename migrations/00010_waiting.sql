-- +goose Up
-- How long a vendor usually takes, after which it is asked, and how long we wait at all. The vendor says 10 s to 8 min
-- (docs/vendor-buro.md#buro-outcome), in its older product up to 3 min.
create table waits (
  dialect          text primary key check (dialect in ('palenca', 'buro')),
  expected_seconds integer not null check (expected_seconds between 30 and 3600),
  limit_seconds    integer not null check (limit_seconds between 300 and 172800),
  changed_at       timestamptz not null default now(),
  changed_by       bigint references users (id),
  check (limit_seconds > expected_seconds)
);
insert into waits (dialect, expected_seconds, limit_seconds) values ('palenca', 180, 3600), ('buro', 480, 3600);

-- A fact may come from asking the vendor; then there is no delivery.
alter table events
  add column source text not null default 'webhook' check (source in ('webhook', 'asking')),
  add constraint events_source_delivery check (source = 'asking' or delivery_id is not null);

alter table attempts
  drop constraint attempts_source_check,
  add constraint attempts_source_check check (source in ('form', 'bulk', 'refresh', 'retry', 'automatic')),
  add column consent_id     bigint references consents (id), -- under which it was sent; a lookup may outlive its first consent
  add column settled_by     text not null default '' check (settled_by in ('', 'webhook', 'asking', 'expired', 'refused')),
  add column final_event_at timestamptz,                     -- when a webhook first told an outcome
  add column asked_at       timestamptz,                     -- when the vendor was last asked how it stands
  add column asks           integer not null default 0;

update attempts a set consent_id = l.consent_id from lookups l where l.id = a.lookup_id;
update attempts a
   set final_event_at = coalesce(
         (select min(e.received_at) from events e
           where e.attempt_id = a.id and e.phase in ('succeeded', 'incomplete', 'failed', 'refresh_failed')),
         case when account_id <> '' and status <> 'expired' then settled_at end); -- until now nothing but a webhook told
update attempts
   set settled_by = case when final_event_at is not null then 'webhook' when status = 'expired' then 'expired' else 'refused' end
 where settled_at is not null;
alter table attempts alter column consent_id set not null;

-- Taken up by the vendor and not yet heard of again.
create index attempts_unheard on attempts (sent_at desc, id desc) where final_event_at is null and account_id <> '';

-- +goose StatementBegin
create or replace function attempts_need_consent() returns trigger language plpgsql as $$
begin
  select c.id into new.consent_id from lookups l join consents c on c.id = coalesce(new.consent_id, l.consent_id) and c.person_id = l.person_id
   where l.id = new.lookup_id and c.given_at <= now() + interval '1 minute' and c.expires_at > now();
  if not found then
    raise exception 'no live consent for this lookup' using errcode = 'check_violation', constraint = 'attempts_need_consent';
  end if;
  return new;
end $$;
-- +goose StatementEnd

-- Attempts counted by the hour in which they were sent, so that the health of a source and what was never heard of scan
-- nothing. Written by a trigger: whatever moves an attempt moves its count, in the same transaction. An attempt always
-- counts in the same shard, so that a transaction about one attempt locks one row here.
create table attempt_hours (
  connection_id bigint not null references connections (id),
  hour          timestamptz not null,
  platform      text not null,
  shard         smallint not null,
  started       bigint not null default 0,
  refused       bigint not null default 0, -- not taken up: nothing more is to come
  heard         bigint not null default 0, -- a webhook told an outcome
  asked         bigint not null default 0, -- none did; the vendor, asked, told it
  success       bigint not null default 0, -- where they stand now
  incomplete    bigint not null default 0,
  error         bigint not null default 0,
  expired       bigint not null default 0,
  took          bigint[] not null,         -- of those heard of, how many took how long (took_bounds)
  failed_at     timestamptz,
  failed_detail text not null default '',
  primary key (connection_id, hour, platform, shard)
);

-- Upper bounds in seconds of all stretches of attempt_hours.took but the last, which has none.
create function took_bounds() returns double precision[] language sql immutable parallel safe as
$$ select array[5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 360, 480, 600, 900, 1800, 3600]::double precision[] $$;

-- +goose StatementBegin
create function count_attempt(a attempts, sign integer) returns void language plpgsql as $$
declare
  failed  boolean := a.status = 'expired' or (a.status = 'error' and a.settled_by <> 'refused');
  stretch integer := 1 + width_bucket(extract(epoch from a.final_event_at - a.sent_at)::double precision, took_bounds());
  empty   bigint[] := array_fill(0::bigint, array[1 + cardinality(took_bounds())]);
  first   bigint[] := empty;
  weight  integer := case when stretch is null then 0 else sign end;
begin
  if a.sent_at is null then
    return;
  end if;
  stretch := coalesce(stretch, 1);
  first[stretch] := weight;
  insert into attempt_hours as h (connection_id, hour, platform, shard, started, refused, heard, asked, success, incomplete, error, expired,
                                  took, failed_at, failed_detail)
  values (a.connection_id, date_trunc('hour', a.sent_at, 'UTC'), (select l.platform from lookups l where l.id = a.lookup_id), a.id % 8, sign,
          sign * (a.settled_by = 'refused')::int,
          sign * (a.final_event_at is not null)::int,
          sign * (a.final_event_at is null and a.settled_by = 'asking')::int,
          sign * (a.status = 'success')::int, sign * (a.status = 'incomplete')::int,
          sign * (a.status = 'error' and a.settled_by <> 'refused')::int, sign * (a.status = 'expired')::int,
          first, case when failed and sign > 0 then a.settled_at end, case when failed and sign > 0 then a.detail else '' end)
  on conflict (connection_id, hour, platform, shard) do update
     set started = h.started + excluded.started, refused = h.refused + excluded.refused, heard = h.heard + excluded.heard,
         asked = h.asked + excluded.asked, success = h.success + excluded.success, incomplete = h.incomplete + excluded.incomplete,
         error = h.error + excluded.error, expired = h.expired + excluded.expired, took[stretch] = h.took[stretch] + weight,
         failed_at = greatest(h.failed_at, excluded.failed_at),
         failed_detail = case when excluded.failed_at >= coalesce(h.failed_at, '-infinity') then excluded.failed_detail else h.failed_detail end;
end $$;
create function count_attempts() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    perform count_attempt(old, -1);
  end if;
  perform count_attempt(new, 1);
  return null;
end $$;
-- +goose StatementEnd
create trigger attempts_counted after insert on attempts for each row when (new.sent_at is not null) execute function count_attempts();
create trigger attempts_recounted after update on attempts for each row
  when ((old.sent_at, old.status, old.settled_by, old.final_event_at) is distinct from (new.sent_at, new.status, new.settled_by, new.final_event_at))
  execute function count_attempts();
select count_attempt(a, 1) from attempts a where a.sent_at > now() - interval '31 days';

-- +goose Down
-- This fails, and changes nothing, while there are facts or attempts that the older schema cannot hold.
drop trigger attempts_recounted on attempts;
drop trigger attempts_counted on attempts;
drop function count_attempts;
drop function count_attempt;
drop function took_bounds;
drop table attempt_hours;
-- +goose StatementBegin
create or replace function attempts_need_consent() returns trigger language plpgsql as $$
begin
  perform from lookups l join consents c on c.id = l.consent_id
   where l.id = new.lookup_id and c.given_at <= now() + interval '1 minute' and c.expires_at > now();
  if not found then
    raise exception 'no live consent for this lookup' using errcode = 'check_violation', constraint = 'attempts_need_consent';
  end if;
  return new;
end $$;
-- +goose StatementEnd
drop index attempts_unheard;
alter table attempts
  drop column asks, drop column asked_at, drop column final_event_at, drop column settled_by, drop column consent_id,
  drop constraint attempts_source_check,
  add constraint attempts_source_check check (source in ('form', 'bulk', 'refresh'));
alter table events drop constraint events_source_delivery, drop column source;
drop table waits;
