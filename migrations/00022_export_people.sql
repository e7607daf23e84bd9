-- +goose Up
-- Whose data each file of many people held, so that it stands in the history of every one of them. People are bits in the
-- order of their ids, 4,096 to a row: a file of a million people is 245 rows of half a kibibyte, written at once with its
-- receipt, and whether one person was in a file is one bit of one row. Of files that were made before, nobody knows.
create table receipt_people (
  block      bigint not null check (block >= 0), -- people.id / 4096
  receipt_id bigint not null references receipts (id),
  members    bytea not null check (length(members) = 512), -- bit n is the person with the id block * 4096 + n
  primary key (block, receipt_id)
);
-- Bits do not compress well, and have to be read without being unpacked.
alter table receipt_people alter column members set storage plain;

create trigger receipt_people_fixed before update or delete on receipt_people for each row execute function refuse_update();
create trigger receipt_people_kept before truncate on receipt_people for each statement execute function refuse_update();

-- +goose Down
drop table receipt_people;
