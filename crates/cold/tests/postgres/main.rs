//! Tests the cold tier on a real Postgres: contract suites, row security, failures, replicas, migrations, connection pools, query plans.

mod connection_pools;
mod contracts;
mod failures;
mod lock_order;
mod migrations;
#[path = "../cases/past_events.rs"]
mod past_events;
mod process_claim;
mod query_plans;
mod replicas;
mod row_security;
mod server;
#[path = "../cases/unreadable.rs"]
mod unreadable;
