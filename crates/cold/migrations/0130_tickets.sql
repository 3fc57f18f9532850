-- The right to enter. A place has at most one that is not revoked.
create table tickets (
    organization_id {uuid} not null,
    id {uuid} not null,
    event_id {uuid} not null,
    order_id {uuid} not null,
    place bigint not null,
    area_id {uuid} not null,
    label text not null,
    ticket_type_name text not null,
    state text not null check (state in ('valid', 'used', 'revoking', 'revoked')),
    -- The refund that takes it back, and whether money goes with it.
    refund_id {uuid},
    refunded boolean not null,
    -- How many times it has admitted, and whether the last entry has no exit yet.
    entries bigint not null,
    inside boolean not null,
    primary key (organization_id, id),
    foreign key (organization_id, order_id) references orders (organization_id, id)
) {clustered};
create unique index tickets_of_place on tickets (organization_id, event_id, place) where state <> 'revoked';
create index tickets_of_order on tickets (organization_id, order_id, id);
create index tickets_of_refund on tickets (organization_id, refund_id, id) where refund_id is not null;
create index tickets_not_valid on tickets (organization_id, event_id, state) where state <> 'valid';
