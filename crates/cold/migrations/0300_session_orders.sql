-- Which buyer's session made an order, so that the session's own page lists it. Orders from before have none.

alter table orders add column session_id {uuid};
create index orders_of_session on orders (session_id, id) where session_id is not null;
{shown:orders reconciler buyer}
