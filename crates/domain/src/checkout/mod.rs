//! Turns claimed places into orders: order states, and the amounts of an order.

pub mod amounts;
pub mod order;
