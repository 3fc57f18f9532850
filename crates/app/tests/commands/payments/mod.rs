//! Covers attempts and refunds: sending, resolving, expiring, unmatched captures, callbacks.

mod callbacks;
mod execute_refund;
mod expire_orders;
mod open_refund;
mod pay_again;
mod refused_refund;
mod resolve_attempts;
mod send_attempt;
mod settle_unmatched_capture;
pub mod steps;
