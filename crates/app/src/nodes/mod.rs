//! Who runs this platform now: each node announces itself under a lease, and knows the others.
//!
//! Never: a decision about a sale by who is a member; a node that is thought dead may still live, so whatever must happen once has a lease of its own.

pub mod members;
pub mod ports;
pub mod presence;
