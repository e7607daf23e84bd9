-- +goose Up
-- What a named person decided on a lookup and why, with the facts and figures that the page showed, frozen: exact JSON and
-- its hash. Append-only. Retention, once it takes answers away, brings its own rule for the notes that rest on them.
create table decisions (
  id           bigint generated always as identity primary key,
  uid          uuid not null default gen_random_uuid() unique,
  lookup_id    bigint not null references lookups (id),
  decided_by   bigint not null references users (id),
  decided_name text not null check (decided_name <> ''), -- as it was then: a user may be renamed
  decided_at   timestamptz not null default clock_timestamp(),
  reason       text not null check (reason ~ '\S' and length(reason) <= 4000),
  as_of        date not null,
  frozen       bytea not null,
  sha256       bytea not null check (sha256 = sha256(frozen))
);
create index decisions_lookup on decisions (lookup_id, id desc);

create trigger decisions_fixed before update or delete on decisions for each row execute function refuse_update();
create trigger decisions_kept before truncate on decisions for each statement execute function refuse_update();

-- +goose Down
drop table decisions;
