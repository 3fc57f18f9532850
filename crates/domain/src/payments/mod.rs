//! Takes payments and pays refunds through providers whose answers may be late, doubled or missing (P2).

pub mod attempt;
pub mod decide;
pub mod expiry;
pub mod late_capture;
pub mod refund;
pub mod refund_plan;

#[cfg(test)]
mod fixtures;
