-- +goose Up
-- Text as it is searched: accents, case and punctuation make no difference. What is left are runs of a-z and 0-9, one space
-- between them; find.Fold says the same in Go. It needs no extension, so any PostgreSQL that somebody else runs will do.
-- Bodies are bound here and not looked up by name, since a restored dump computes these columns without a search path.
create function folded(said text) returns text language sql immutable strict parallel safe
return btrim(regexp_replace(lower(regexp_replace(normalize(said, NFKD), '[\u0300-\u036f]+', '', 'g') collate "C"), '[^a-z0-9]+', ' ', 'g'));

-- Words to be found by their beginnings in any order. A lexeme holds less than 2 kB, hence the cut.
create function folded_words(said text) returns tsvector language sql immutable strict parallel safe
return array_to_tsvector(string_to_array(folded(left(said, 200)), ' '));

alter table people
  add column words    tsvector not null generated always as (folded_words(name)) stored,
  add column asked_at timestamptz not null default now(); -- when a lookup of them was last asked for
update people p set asked_at = coalesce((select max(l.requested_at) from lookups l where l.person_id = p.id), p.created_at);
create index people_words on people using gin (words) with (fastupdate = off);
create index people_asked on people (environment, asked_at desc, id desc);
-- "C" orders by bytes, so that a beginning is one stretch of the index.
create index people_identifier on people (environment, (coalesce(curp, rfc) collate "C"));
create index people_nss on people (environment, (nss collate "C"), id) where nss <> '';

-- Whom anybody was ever employed by, as sources spelled it first, and the lookups whose answers say so.
create table employers (
  id          bigint generated always as identity primary key,
  environment text not null check (environment in ('sandbox', 'production')),
  name        text not null check (length(name) <= 200),
  folded      text not null check (folded <> ''),
  words       tsvector not null generated always as (folded_words(name)) stored,
  unique (environment, folded)
);
create index employers_words on employers using gin (words) with (fastupdate = off);
create table lookup_employers (
  employer_id bigint not null references employers (id),
  lookup_id   bigint not null references lookups (id),
  primary key (employer_id, lookup_id)
);

-- Written by a trigger, once for all records of an answer: whatever stores records makes them findable in the same transaction.
-- Names go in one order, so that two transactions with the same new employers wait for each other and do not deadlock.
-- +goose StatementBegin
create function find_employers() returns trigger language plpgsql as $$
begin
  insert into employers (environment, name, folded)
  select distinct on (n.environment, n.folded) n.environment, n.name, n.folded
    from (select s.environment, s.name, folded(s.name) as folded
            from (select distinct l.environment, left(r.employer, 200) as name
                    from added r join pulls q on q.id = r.pull_id join lookups l on l.id = q.lookup_id) s) n
   where n.folded <> '' and not exists (select from employers e where e.environment = n.environment and e.folded = n.folded)
   order by n.environment, n.folded, n.name
  on conflict (environment, folded) do nothing;
  insert into lookup_employers (employer_id, lookup_id)
  select distinct e.id, s.lookup_id
    from (select distinct l.environment, l.id as lookup_id, left(r.employer, 200) as name
            from added r join pulls q on q.id = r.pull_id join lookups l on l.id = q.lookup_id) s
    join employers e on e.environment = s.environment and e.folded = folded(s.name)
  on conflict do nothing;
  return null;
end $$;
-- +goose StatementEnd
create trigger employment_records_found after insert on employment_records
  referencing new table as added for each statement execute function find_employers();

insert into employers (environment, name, folded)
select distinct on (l.environment, folded(left(r.employer, 200))) l.environment, left(r.employer, 200), folded(left(r.employer, 200))
  from employment_records r join pulls q on q.id = r.pull_id join lookups l on l.id = q.lookup_id
 where folded(left(r.employer, 200)) <> '';
insert into lookup_employers (employer_id, lookup_id)
select distinct e.id, l.id
  from employment_records r join pulls q on q.id = r.pull_id join lookups l on l.id = q.lookup_id
  join employers e on e.environment = l.environment and e.folded = folded(left(r.employer, 200));

-- What somebody typed into the search box, sealed, for the hour in which its pages may be turned: the text itself stands in no
-- address. Only who typed it may open it.
create table searches (
  id          uuid primary key default gen_random_uuid(),
  environment text not null check (environment in ('sandbox', 'production')),
  user_id     bigint not null references users (id) on delete cascade,
  sealed      bytea not null,
  expires_at  timestamptz not null
);
create index searches_expiry on searches (expires_at);

-- again: how the latest attempt came about, '' while there is one attempt only. owner_id: whose case it is.
alter table lookups
  add column again    text not null default '' check (again in ('', 'refresh', 'retry', 'automatic')),
  add column owner_id bigint references users (id);
update lookups l set again = a.source
  from (select distinct on (lookup_id) lookup_id, number, source from attempts order by lookup_id, number desc) a
 where a.lookup_id = l.id and a.number > 1 and a.source in ('refresh', 'retry', 'automatic');
create index lookups_by_connection on lookups (connection_id, requested_at desc, id desc);
create index lookups_by_source on lookups (environment, source, requested_at desc, id desc);
create index lookups_by_again on lookups (environment, again, requested_at desc, id desc) where again <> '';
create index lookups_open on lookups (environment, requested_at desc, id desc) where status in ('queued', 'pending');
create index lookups_by_detail on lookups (environment, detail, requested_at desc, id desc) where actor in ('analyst', 'person');
create index lookups_owned on lookups (owner_id, requested_at desc, id desc) where owner_id is not null;
create index lookups_reference on lookups (environment, (lower(reference) collate "C"), id) where reference <> '';

-- Short words that people sort cases by, each environment its own. A lookup's requested_at is repeated, and never changes, so
-- that the lookups of a tag are one stretch of an index in the order of the list.
create table tags (
  id          bigint generated always as identity primary key,
  uid         uuid not null default gen_random_uuid() unique,
  environment text not null check (environment in ('sandbox', 'production')),
  name        text not null check (name ~ '\S' and length(name) <= 30),
  folded      text not null check (folded <> ''),
  created_at  timestamptz not null default clock_timestamp(),
  unique (environment, folded)
);
create table lookup_tags (
  lookup_id    bigint not null references lookups (id),
  tag_id       bigint not null references tags (id),
  requested_at timestamptz not null,
  primary key (lookup_id, tag_id)
);
create index lookup_tags_newest on lookup_tags (tag_id, requested_at desc, lookup_id desc);

-- What people wrote down about a case, append-only: a correction is another note.
create table case_notes (
  id          bigint generated always as identity primary key,
  uid         uuid not null default gen_random_uuid() unique,
  lookup_id   bigint not null references lookups (id),
  written_by  bigint not null references users (id),
  author      text not null check (author <> ''), -- as it was then: a user may be renamed
  written_at  timestamptz not null default clock_timestamp(),
  text        text not null check (text ~ '\S' and length(text) <= 4000)
);
create index case_notes_lookup on case_notes (lookup_id, id desc);
create trigger case_notes_fixed before update or delete on case_notes for each row execute function refuse_update();
create trigger case_notes_kept before truncate on case_notes for each statement execute function refuse_update();

-- +goose Down
drop table case_notes, lookup_tags, tags, searches;
drop index lookups_by_connection, lookups_by_source, lookups_open, lookups_by_detail, lookups_reference;
alter table lookups drop column again, drop column owner_id;
drop trigger employment_records_found on employment_records;
drop function find_employers;
drop table lookup_employers, employers;
drop index people_identifier, people_nss;
alter table people drop column words, drop column asked_at;
drop function folded_words, folded;
