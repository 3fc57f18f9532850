//! Admits tickets at the gate: signed codes, entry rules and scan times (P6).

pub mod base45;
pub mod code;
pub mod entry;
pub mod scan_time;
pub mod ticket;
