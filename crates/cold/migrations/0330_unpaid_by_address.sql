-- From which client address an order came, as a digest, while it waits for its payment: the places that one address has in unpaid orders are limited.

alter table orders add column address text;
create index orders_unpaid_of_address on orders (organization_id, event_id, address) where state = 'awaiting_payment' and address is not null;
