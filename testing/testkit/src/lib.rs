//! Runs the product from outside for suites: its processes and the servers that it needs, one HTTP client, one reader of server-sent events, and people who use the API.
//!
//! Never: a crate of the product, a look into its files (the sandbox provider's charges excepted: they stand for a bank statement), a wait without a
//! deadline. To add a person: a file here with what that person does, in the words of the API.

pub mod buyer;
pub mod cluster;
pub mod free_port;
pub mod haproxy;
pub mod http_client;
pub mod limits;
pub mod organizer;
pub mod platform;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod report;
pub mod sandbox_provider;
pub mod scanner;
pub mod seat_map;
pub mod server;
pub mod sse;
pub mod until;
