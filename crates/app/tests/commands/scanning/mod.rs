//! Covers gates, devices and scans, also while a store is unavailable.

mod cold_outage;
mod devices;
mod faulty_store;
mod fixture;
mod replay_offline_scans;
mod scan;
mod scanner;
mod store_outages;
