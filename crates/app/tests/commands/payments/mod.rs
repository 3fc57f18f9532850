//! Covers attempts and refunds: sending, resolving, expiring, unmatched captures, callbacks.

mod callbacks;
mod execute_refund;
mod expire_orders;
mod open_refund;
pub mod order_states;
mod pay_again;
mod resolve_attempts;
mod retry_or_settle_refund;
mod send_attempt;
mod settle_unmatched_capture;
