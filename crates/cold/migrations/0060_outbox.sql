-- Facts on their way out of this store, written in the same commit as the state they tell of (P8).

create table outbox (
    organization_id {uuid} not null,
    id {uuid} not null primary key,
    aggregate {uuid} not null,
    version bigint not null,
    -- 0, 1, … among the facts of one commit.
    part bigint not null,
    -- The fact: JSON with its version.
    body {json} not null,
    at bigint not null,
    -- Taken no earlier than this: the end of a lease, or of a pause after a failure.
    due_at bigint not null,
    delivered_at bigint
) {clustered};
create index outbox_undelivered on outbox (at, version, part, id) where delivered_at is null;
create index outbox_of_aggregate on outbox (organization_id, aggregate, version, part, id) where delivered_at is null;
create index outbox_delivered on outbox (delivered_at) where delivered_at is not null;
