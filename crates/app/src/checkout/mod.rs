//! Orders: from a hold to claimed places, and to tickets or back.

pub mod cancel_order;
pub mod counted;
pub mod place_order;
pub mod placed_order_keys;
pub mod ports;
pub mod read_order;
pub mod view_order;
pub mod watch;
