-- One row per place that was ever touched, never deleted: the authority of every sale (P1).
create table places (
    organization_id {uuid} not null,
    event_id {uuid} not null,
    place bigint not null,
    state text not null check (state in ('free', 'blocked', 'claimed', 'sold')),
    -- The order or block that has it; none while free.
    owner_id {uuid},
    -- Plus one per transition; the warm tier applies only what is above its own.
    version bigint not null,
    primary key (organization_id, event_id, place),
    check ((state = 'free') = (owner_id is null))
) {clustered};

-- The generation of an event's warm state; raised by each rebuild.
create table epochs (
    organization_id {uuid} not null,
    event_id {uuid} not null,
    epoch bigint not null,
    primary key (organization_id, event_id)
) {clustered};

-- Why places are kept back; the block is their owner.
create table blocks (
    organization_id {uuid} not null,
    event_id {uuid} not null,
    id {uuid} not null,
    reason text not null,
    primary key (organization_id, event_id, id)
) {clustered};
