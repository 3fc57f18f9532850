-- A program from before `past_from` leaves 0 in it when it creates an event, and what was there when it moves one. Neither is known from the column's value
-- alone, but an event is never past before it starts: where `past_from` is earlier than that, lists go by the event's own times, and find it by this index.
create index events_of_unknown_past_from on events (starts_at, id) where state <> 'draft' and past_from < starts_at;
