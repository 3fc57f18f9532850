//! Tests of the warm tier's adapters: contract suites, scripts against the domain's inventory, and failures of real servers. One binary, so that tests
//! share servers.

mod cluster_bus;
mod contracts;
mod idle_events;
mod lost_replies;
mod node;
mod scripts_match_domain;
mod server_failures;
mod shared_servers;
mod signals_after_failover;
mod topology;
