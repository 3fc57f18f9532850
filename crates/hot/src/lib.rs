//! The hot tier: what this node keeps in its own memory to answer without asking anybody, and to tell its viewers what changes.
//!
//! Never: a grant, a sale, or a fact that cannot be read again elsewhere; each entry has an age (P10). It keeps P11: reads and refusals of a sale end here.
//! To add a cache: a [`cache::Cache`] in a file of its own, named after what it keeps.

pub mod cache;
pub mod credentials;
pub mod fanout;
pub mod last_known;
pub mod listings;
pub mod orders;
pub mod snapshot;
#[cfg(test)]
mod testing;
