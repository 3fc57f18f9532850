-- What buyers and promo codes have in orders that are paid or may still be: counted in the order's own transaction, so that no race passes a limit.

alter table price_rules add column uses_max bigint;
alter table price_rules add column uses_per_buyer_max bigint;

-- `places:<buyer>`, `places:<buyer>:<ticket type>`, `uses:<rule>`, `uses:<rule>:<buyer>`; a buyer is a session or a digest of an e-mail address.
create table sale_counts (
    organization_id {uuid} not null,
    event_id {uuid} not null,
    counted text not null,
    amount bigint not null,
    primary key (organization_id, event_id, counted)
) {clustered};
{secured:sale_counts}

-- Whom and which code an order counts for; nothing where it was made before this step.
alter table orders add column counted_for {json};
