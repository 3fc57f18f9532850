-- Attempts to be paid. At most one per order may still take money without anybody misbehaving.
create table payment_attempts (
    organization_id {uuid} not null,
    id {uuid} not null,
    order_id {uuid} not null,
    event_id {uuid} not null,
    -- 1, 2, … within the order.
    number bigint not null,
    provider text not null,
    method text not null,
    state text not null
        check (state in ('created', 'pending', 'unknown', 'captured', 'captured_late', 'failed', 'voided')),
    currency text not null,
    amount bigint not null,
    -- What the provider took, which may not be what was asked for.
    captured_currency text,
    captured_amount bigint,
    provider_ref text,
    reason text,
    send_before bigint not null,
    -- Who may call the provider, and how many have had that right: with the second one, a refused connection proves nothing of the first.
    lease_token {uuid},
    lease_until bigint,
    leases bigint not null,
    asked_at bigint not null,
    created_at bigint not null,
    primary key (organization_id, id),
    foreign key (organization_id, order_id) references orders (organization_id, id)
) {clustered};
create unique index payment_attempts_of_order on payment_attempts (organization_id, order_id, number);
create unique index payment_attempts_unresolved on payment_attempts (organization_id, order_id)
    where state in ('created', 'pending', 'unknown');
create index payment_attempts_to_ask on payment_attempts (asked_at) where state in ('created', 'pending', 'unknown');

-- Money on its way back.
create table refunds (
    organization_id {uuid} not null,
    id {uuid} not null,
    order_id {uuid} not null,
    event_id {uuid} not null,
    payment_id {uuid} not null,
    provider text not null,
    currency text not null,
    amount bigint not null,
    reason text not null,
    actor text not null,
    state text not null check (state in ('pending', 'unknown', 'done', 'failed')),
    provider_ref text,
    failure text,
    tickets_revoked boolean not null,
    created_at bigint not null,
    primary key (organization_id, id),
    foreign key (organization_id, order_id) references orders (organization_id, id)
) {clustered};
create index refunds_of_order on refunds (organization_id, order_id, id);
