//! Covers orders: placing them, looking at them, and giving them up.

mod buyer_limits;
mod cancel_order;
mod faulty_orders;
mod pin_and_commit;
mod place_order;
mod view_order;
