-- +goose Up
-- Who did what to whose data. Append-only, each entry chained to the one before it by a hash over both, so that an
-- edit, a deletion or an insertion in between shows (audit_broken_links).
create table audit_entries (
  id        bigint primary key,
  at        timestamptz not null,
  actor_id  bigint references users (id),
  actor     text not null,
  action    text not null,
  ip        text not null default '',
  person_id bigint references people (id),
  lookup_id bigint references lookups (id),
  subject   text not null default '',
  detail    text not null default '',
  previous  bytea not null,
  hash      bytea not null
);
create index audit_person on audit_entries (person_id, id) where person_id is not null;
create index audit_actor on audit_entries (actor_id, id) where actor_id is not null;

create table audit_head (
  one  boolean primary key default true check (one),
  id   bigint not null,
  hash bytea not null
);
insert into audit_head (id, hash) values (0, '\x');

-- +goose StatementBegin
create function audit_hash(previous bytea, e audit_entries) returns bytea language sql stable as $$
  select sha256(previous || convert_to(jsonb_build_array(
    e.id, extract(epoch from e.at)::text, e.actor_id, e.actor, e.action, e.ip, e.person_id, e.lookup_id, e.subject, e.detail)::text, 'UTF8'))
$$;
-- +goose StatementEnd

-- The head row is locked until the transaction ends, so entries are written last in a transaction.
-- +goose StatementBegin
create function audit_link() returns trigger language plpgsql as $$
declare head audit_head;
begin
  select one, id, hash into head from audit_head for update;
  new.id := head.id + 1;
  new.at := clock_timestamp();
  new.previous := head.hash;
  new.hash := audit_hash(head.hash, new);
  update audit_head set id = new.id, hash = new.hash;
  return new;
end $$;
-- +goose StatementEnd
create trigger audit_link before insert on audit_entries for each row execute function audit_link();

-- +goose StatementBegin
create function audit_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is append-only' using errcode = 'restrict_violation';
end $$;
-- +goose StatementEnd
create trigger audit_fixed before update or delete on audit_entries for each row execute function audit_refuse();
create trigger audit_kept before truncate on audit_entries for each statement execute function audit_refuse();

-- +goose StatementBegin
create function audit_broken_links() returns setof bigint language sql stable as $$
  select e.id from (
    select a as entry, a.id, a.previous, a.hash,
           lag(a.hash, 1, '\x'::bytea) over (order by a.id) as before,
           lag(a.id, 1, 0::bigint) over (order by a.id) as before_id
      from audit_entries a) e
   where e.previous <> e.before or e.id <> e.before_id + 1 or e.hash <> audit_hash(e.previous, e.entry)
  union all
  select h.id from audit_head h
   where h.hash <> coalesce((select a.hash from audit_entries a order by a.id desc limit 1), '\x'::bytea)
$$;
-- +goose StatementEnd

-- +goose Down
drop function audit_broken_links, audit_hash;
drop table audit_entries, audit_head;
drop function audit_refuse, audit_link;
