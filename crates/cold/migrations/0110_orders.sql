-- A sale, from claimed places to tickets or release. One order per hold.
create table orders (
    organization_id {uuid} not null,
    id {uuid} not null,
    event_id {uuid} not null,
    hold_id {uuid} not null,
    state text not null check (state in ('awaiting_payment', 'paid', 'cancelled', 'expired', 'partially_refunded', 'refunded')),
    buyer_name text not null,
    buyer_email text not null,
    currency text not null,
    fees bigint not null,
    tax bigint not null,
    total bigint not null,
    pay_by bigint not null,
    -- Given up while an attempt was unresolved: it ends as cancelled, not as expired.
    cut_short boolean not null,
    created_at bigint not null,
    paid_at bigint,
    -- Plus one per change of the order or of anything that belongs to it; orders its outbox rows.
    version bigint not null,
    primary key (organization_id, id)
) {clustered};
create unique index orders_of_hold on orders (organization_id, hold_id);
create index orders_of_event on orders (organization_id, event_id, id);
create index orders_overdue on orders (pay_by) where state = 'awaiting_payment';

-- Its places with their prices, as they were sold.
create table order_lines (
    organization_id {uuid} not null,
    order_id {uuid} not null,
    -- 0, 1, … within the order.
    line bigint not null,
    place bigint not null,
    area_id {uuid} not null,
    label text not null,
    ticket_type_id {uuid} not null,
    ticket_type_name text not null,
    price bigint not null,
    fee bigint not null,
    tax bigint not null,
    primary key (organization_id, order_id, line),
    foreign key (organization_id, order_id) references orders (organization_id, id)
) {clustered};
