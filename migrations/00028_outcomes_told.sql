-- +goose Up
-- Which subscription told an outcome of which attempt, each once, so that a page can hold subscriptions against each other
-- without reading a day's deliveries. Kept for eight days (Tidy), which is why it points at no attempt: it is gone before that is.
create table outcomes_told (
  subscription_id bigint not null references subscriptions (id),
  sent_at         timestamptz not null, -- the attempt's
  attempt_id      bigint not null,
  primary key (subscription_id, sent_at, attempt_id)
);
insert into outcomes_told (subscription_id, sent_at, attempt_id)
select distinct d.subscription_id, a.sent_at, a.id
  from attempts a join events e on e.attempt_id = a.id join deliveries d on d.event_id = e.id
 where a.sent_at > now() - interval '8 days' and e.phase in ('succeeded', 'incomplete', 'failed', 'refresh_failed');

-- +goose Down
drop table outcomes_told;
