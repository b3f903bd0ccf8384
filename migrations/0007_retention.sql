-- Sales that are over are found by when they ended: by the processes that look after the others, twice a second, and by
-- the one that clears them.
create index sales_closes on sales (closes_at);

-- A payment's webhooks are cleared with it.
create index payment_events_of_payment on payment_events (payment_id);

-- What waits, in order: an index for each sink, on the id alone, so that the planner knows that it follows the table. With
-- both sinks in one it could not know, and took the primary key once there were statistics: past every delivered row.
drop index outbox_waiting;
create index outbox_to_gate on outbox (id) where published_at is null and sink = 'gate';
create index outbox_to_events on outbox (id) where published_at is null and sink = 'events';
