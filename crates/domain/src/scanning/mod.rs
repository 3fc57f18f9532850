//! Tickets at the gate: codes, entry rules, scans (P6).

pub mod base45;
pub mod clock;
pub mod code;
pub mod entry;
pub mod ticket;
