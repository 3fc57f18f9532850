//! Being paid and paying back, through providers whose answers may be late, doubled or missing (P2).

pub mod attempt;
pub mod decide;
pub mod expiry;
pub mod late;
pub mod refund;
pub mod refund_plan;

#[cfg(test)]
mod facts;
