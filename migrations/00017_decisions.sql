-- +goose Up
-- What a named person decided on a lookup and why, with the facts and figures that the page showed, frozen: exact JSON and
-- its hash. Never edited. A note goes with its lookup and not before it, so that suppression (LFPDPPP, art. 10) can take
-- both and nothing else can take the note alone.
create table decisions (
  id           bigint generated always as identity primary key,
  uid          uuid not null default gen_random_uuid() unique,
  lookup_id    bigint not null references lookups (id) on delete cascade,
  decided_by   bigint not null references users (id),
  decided_name text not null check (decided_name <> ''), -- as it was then: a user may be renamed
  decided_at   timestamptz not null default clock_timestamp(),
  reason       text not null check (btrim(reason) <> '' and length(reason) <= 4000),
  as_of        date not null,
  frozen       bytea not null,
  sha256       bytea not null check (sha256 = sha256(frozen))
);
create index decisions_lookup on decisions (lookup_id, id desc);

create trigger decisions_fixed before update on decisions for each row execute function refuse_update();

-- +goose StatementBegin
create function refuse_alone() returns trigger language plpgsql as $$
begin
  if tg_op = 'TRUNCATE' or exists (select from lookups where id = old.lookup_id) then
    raise exception '% go with their lookup only', tg_table_name using errcode = 'restrict_violation';
  end if;
  return old;
end $$;
-- +goose StatementEnd
create trigger decisions_kept before delete on decisions for each row execute function refuse_alone();
create trigger decisions_whole before truncate on decisions for each statement execute function refuse_alone();

-- +goose Down
drop table decisions;
drop function refuse_alone;
