//! Commands across the tiers: warm in memory, cold on SQLite, a provider that does what the test says.
//!
//! Never: a server, the machine's clock. To add a case: a function in the file of its walk.

mod bench;
mod buyer_limits;
mod callbacks;
mod charge;
mod credentials;
mod figures;
mod gate;
mod hold;
mod look;
mod order;
mod refused;
mod relay;
mod repeats;
