//! Tests the runner and the relay on the real store: crashes, lost leases, failing consumers and an unavailable store.

mod fixture;
mod queues;
mod relay;
mod runner;
mod store_unavailable;
mod switchable_store;
mod unreadable_jobs;
