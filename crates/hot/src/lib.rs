//! The hot tier: serves reads from this node's memory without a store call, and streams availability changes to viewers.
//!
//! Never: a grant, a sale, or data that cannot be read again from another tier; each entry has an age (P10). Reads and refusals during a sale end here
//! (P11). To add a cache: a [`cache::Cache`] in a file of its own, named after the cached data.

pub mod availability_view;
pub mod cache;
pub mod credentials;
pub mod fanout;
pub mod last_known;
pub mod listings;
#[cfg(test)]
mod manual_clock;
pub mod orders;
