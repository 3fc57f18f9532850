//! The warm tier's adapters: their contracts, the scripts beside the domain's machine, and real servers broken in every way. One binary, so that all share servers.

mod broken;
mod bulletin;
mod contracts;
mod followed;
mod guarded;
mod mirror;
mod quiet;
mod servers;
mod setup;
