-- +goose Up
-- A report of a lookup leaves a receipt as every export does.
alter table receipts drop constraint receipts_kind_check, drop constraint receipts_check,
  add constraint receipts_kind_check check (kind in ('employment', 'report', 'bulk', 'lookups', 'records', 'deliveries')),
  add constraint receipts_check check ((kind in ('employment', 'report', 'bulk')) = (subject is not null));

-- +goose Down
-- This fails, and changes nothing, while there are receipts of reports: they are never deleted.
alter table receipts drop constraint receipts_kind_check, drop constraint receipts_check,
  add constraint receipts_kind_check check (kind in ('employment', 'bulk', 'lookups', 'records', 'deliveries')),
  add constraint receipts_check check ((kind in ('employment', 'bulk')) = (subject is not null));
