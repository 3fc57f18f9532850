-- Durable background work. A row goes when its job is done; a dead one stays until a person looked.

create table jobs (
    -- The nil UUID for the system's own work, so that unique keys hold there too.
    organization_id {uuid} not null,
    id {uuid} not null primary key,
    kind text not null,
    queue text not null,
    payload {json} not null,
    run_at bigint not null,
    unique_key text,
    attempt bigint not null,
    max_attempts bigint not null,
    -- The fencing token and the end of the lease, while a runner has it.
    lease {uuid},
    leased_until bigint,
    last_error text,
    dead_at bigint
) {clustered};
create unique index jobs_unique_key on jobs (organization_id, unique_key) where unique_key is not null and dead_at is null;
create index jobs_due on jobs (queue, run_at, id) where dead_at is null;
create index jobs_dead on jobs (dead_at, id) where dead_at is not null;

create table schedules (
    name text not null primary key,
    next_at bigint not null
) {clustered};
