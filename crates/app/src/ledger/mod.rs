//! The journal, for reading; entries are written by the commits that cause them (P5).

pub mod ports;
