//! The product from outside, for suites: a server process that can be killed, and people who use it over HTTP.
//!
//! Never: a crate of the product, a look into its files (the sandbox provider's books excepted: that is somebody else's company), a wait
//! without a deadline. To add a person: a file here with what they do, in the words of the API.

pub mod books;
pub mod buyer;
pub mod client;
pub mod cluster;
pub mod haproxy;
pub mod organizer;
pub mod port;
pub mod postgres;
pub mod proxy;
pub mod redis;
pub mod scanner;
pub mod server;
pub mod until;
pub mod verdict;
