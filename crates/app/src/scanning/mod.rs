//! Gates, devices and scans (P3, P6).

pub mod codes;
pub mod create_device;
pub mod create_gate;
pub mod decide;
pub mod gate_filter_sync;
pub mod package;
pub mod pair_device;
pub mod ports;
pub mod replay_offline_scans;
pub mod scan;
pub mod watch;
