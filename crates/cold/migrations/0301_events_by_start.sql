-- The front page lists events by their beginning.

create index events_by_start on events (starts_at, id) where state <> 'draft';
