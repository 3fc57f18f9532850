//! Gates, devices and scans (P3, P6).

pub mod codes;
pub mod create_device;
pub mod create_gate;
pub mod decide;
pub mod package;
pub mod pair_device;
pub mod ports;
pub mod scan;
pub mod settle_kept;
pub mod tell_warm;
pub mod watch;
