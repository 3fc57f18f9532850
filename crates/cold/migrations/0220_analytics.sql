-- What nodes counted of an event that no other table tells: an entry of its stream each, so that a repeat counts once.

create table counts (
    organization_id {uuid} not null,
    event_id {uuid} not null,
    -- As the stream calls it.
    entry text not null,
    minute bigint not null,
    viewed bigint not null,
    held bigint not null,
    refused bigint not null,
    primary key (organization_id, event_id, entry)
) {clustered};
create index counts_of_event on counts (organization_id, event_id, minute);
create index counts_by_age on counts (minute);
{secured:counts retention}
