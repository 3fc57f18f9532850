//! Every limit at its edge, repeats with and without their key, sessions, logins, headers, the shape of errors, and draining.

mod drain;
mod funnel;
mod holds;
mod idempotency;
mod limits;
mod login;
mod shape;
mod shares;
