-- From which moment an event is listed as past: its end, or the last admission where that comes earlier or no end is given; of its ticket types on sale
-- the last one counts, but none beyond a given end. The rule is `Event::past_from` of the domain, which writes the column from now on.
alter table events add column past_from bigint not null default 0;
update events set past_from = case when ends_at < admits_until then ends_at else coalesce(admits_until, ends_at, starts_at + 21600000000) end;
update events set past_from = coalesce((
    select max(case when t.ends_at < t.admits_until then t.ends_at else coalesce(t.admits_until, t.ends_at, events.past_from) end)
    from ticket_types t where t.organization_id = events.organization_id and t.event_id = events.id and t.retired_at is null
), past_from);
update events set past_from = ends_at where ends_at < past_from;
update events set past_from = starts_at where past_from < starts_at;

-- What runs now, of all that is not past.
create index events_by_past_from on events (past_from, starts_at, id) where state <> 'draft';
