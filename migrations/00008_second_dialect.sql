-- +goose Up
-- Buró de Ingresos also answers for an RFC: of a company, or of a person of whom nothing else is at hand. Whoever was asked
-- about is known by exactly one identifier; what a source tells of others stays with its answer.
alter table people
  alter column curp drop not null,
  add column rfc text check (rfc ~ '^[A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{3}$'),
  add constraint people_one_identifier check (num_nonnulls(curp, rfc) = 1),
  add constraint people_environment_rfc_key unique (environment, rfc);

-- Sends x-sandbox, which only one client was seen to do (docs/vendor-buro.md#buro-hosts); never outside the sandbox.
alter table connections
  add column sandbox_header boolean not null default false,
  add constraint connections_sandbox_header check (not sandbox_header or (environment = 'sandbox' and dialect = 'buro'));

-- A consent of ours as this vendor recorded it. Its expiry is the vendor's word and counts, whatever ours says.
create table vendor_consents (
  id            bigint generated always as identity primary key,
  environment   text not null,
  connection_id bigint not null,
  person_id     bigint not null,
  consent_id    bigint not null,
  vendor_id     text not null check (vendor_id <> ''),
  notice_url    text not null,
  expires_at    timestamptz not null,
  ended_at      timestamptz, -- the vendor said that it knows none
  created_at    timestamptz not null default clock_timestamp(),
  foreign key (connection_id, environment) references connections (id, environment),
  foreign key (person_id, environment) references people (id, environment),
  foreign key (consent_id, person_id) references consents (id, person_id)
);
create index vendor_consents_newest on vendor_consents (connection_id, person_id, id desc);

-- What the vendor found of an attempt besides profile and employment, whose states are columns. A kind that we do not
-- know is kept by its name, and its state stays none.
create table attempt_entities (
  attempt_id bigint not null references attempts (id),
  name       text not null check (name <> '' and name not in ('profile', 'employment')),
  state      text not null check (state in ('none', 'fetching', 'complete', 'partial', 'empty', 'failed')),
  primary key (attempt_id, name)
);

alter table pulls drop constraint pulls_kind_check,
  add constraint pulls_kind_check
    check (kind in ('profile', 'employment', 'invoices', 'earnings', 'employment_files', 'business_profile'));
alter table changes drop constraint changes_what_check,
  add constraint changes_what_check
    check (what in ('status', 'warning', 'profile', 'employment', 'invoices', 'earnings', 'employment_files', 'business_profile'));

-- The pages of an answer after the first, which is the pull's own body.
create table pull_pages (
  pull_id     bigint not null references pulls (id),
  page        integer not null check (page >= 2),
  http_status integer not null,
  took_ms     integer not null,
  body        bytea not null,
  sha256      bytea not null check (length(sha256) = 32),
  primary key (pull_id, page)
);

-- What was read from a pull that has no tables of its own: rows of labels and values, in order. A label may repeat in a
-- row. Values are the text received.
create table pull_rows (
  pull_id  bigint not null references pulls (id),
  position integer not null,
  labels   text[] not null,
  contents text[] not null,
  primary key (pull_id, position),
  check (cardinality(labels) = cardinality(contents) and cardinality(labels) > 0)
);

alter table employment_records add column institution text not null default '';

-- Documents that a source offers by links that die within minutes. One that could not be had is kept by its name, with
-- the code of why.
create table documents (
  id           bigint generated always as identity primary key,
  uid          uuid not null default gen_random_uuid() unique,
  pull_id      bigint not null references pulls (id),
  position     integer not null,
  name         text not null default '',
  institution  text not null default '',
  uploaded_at  timestamptz,
  content_type text not null default '',
  body         bytea check (length(body) between 1 and 20971520),
  sha256       bytea check (length(sha256) = 32),
  code         text not null default '',
  fetched_at   timestamptz not null default clock_timestamp(),
  unique (pull_id, position),
  check ((body is null) = (sha256 is null) and (body is null) = (code <> ''))
);
-- They are compressed already.
alter table documents alter column body set storage external;

create trigger pull_pages_fixed before update on pull_pages for each row execute function refuse_update();
create trigger pull_rows_fixed before update on pull_rows for each row execute function refuse_update();
create trigger documents_fixed before update on documents for each row execute function refuse_update();

-- +goose Down
-- This fails, and changes nothing, while there is data that the older schema cannot hold.
drop table documents, pull_rows, pull_pages, attempt_entities, vendor_consents;
alter table employment_records drop column institution;
alter table changes drop constraint changes_what_check,
  add constraint changes_what_check check (what in ('status', 'warning', 'profile', 'employment'));
alter table pulls drop constraint pulls_kind_check,
  add constraint pulls_kind_check check (kind in ('profile', 'employment'));
alter table connections drop constraint connections_sandbox_header, drop column sandbox_header;
alter table people drop constraint people_environment_rfc_key, drop constraint people_one_identifier, drop column rfc,
  alter column curp set not null;
