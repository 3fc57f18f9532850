//! Turns claimed places into orders: order states, and the amounts of an order.

pub mod amount_parts;
pub mod order;
