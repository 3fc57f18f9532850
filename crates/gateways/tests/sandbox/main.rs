//! The sandbox provider over real HTTP, real files and real processes: every method, every restart, every lie of the network.
//!
//! Never: a fixed port, a fixed wait; each test has its own directory and asks until it sees what it expects, or fails after a deadline.

mod callbacks;
mod child;
mod gateway;
mod keys;
mod methods;
mod restart;
mod support;
