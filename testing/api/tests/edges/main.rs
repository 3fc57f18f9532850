//! Every limit at its edge, streams and their ends, repeats with and without their key, sessions, logins, headers, the shape of errors, and draining.

mod caching;
mod drain;
mod free;
mod funnel;
mod guesses;
mod holds;
mod idempotency;
mod internal;
mod limits;
mod login;
mod plans;
mod shape;
mod shares;
mod streams;
mod typed_text;
