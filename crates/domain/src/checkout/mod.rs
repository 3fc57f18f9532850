//! Orders: from claimed places to tickets, or back.

pub mod amounts;
pub mod order;
