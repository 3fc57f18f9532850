//! Takes payments and pays refunds through providers whose answers may be late, doubled or missing (P2).

pub mod attempt;
pub mod decide;
pub mod expiry;
pub mod refund;
pub mod refund_plan;
pub mod unmatched_capture;

#[cfg(test)]
mod fixtures;
