//! Being paid and paying back through providers (P2).

pub mod callback;
pub mod carry_out_refund;
pub mod dispatch;
pub mod expire;
pub mod late_capture;
pub mod learn;
pub mod open_refund;
pub mod pay_again;
pub mod ports;
pub mod refused_refund;
pub mod resolve;
pub mod send;
