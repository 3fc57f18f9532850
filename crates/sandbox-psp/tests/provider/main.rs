//! Tests the sandbox provider over real HTTP, files and processes: every payment method, restarts, callbacks and idempotency.
//!
//! Never: a fixed port or a fixed wait; each test has its own directory and polls until a deadline.

mod callbacks;
mod idempotency;
mod methods;
mod process;
mod restart;
mod support;
