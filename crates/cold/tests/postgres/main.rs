//! Cold on a real Postgres: the suites of its ports, and what only a server of its own brings: row security, failures, replicas, migrations.

mod contracts;
mod failures;
mod lanes;
mod migrations;
#[path = "../cases/past_events.rs"]
mod past_events;
mod plans;
mod process_claim;
mod replicas;
mod row_security;
mod server;
#[path = "../cases/unreadable.rs"]
mod unreadable;
