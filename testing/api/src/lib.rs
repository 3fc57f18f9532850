//! Tests the API over real HTTP against the shipped binary: tenants, ticket codes, viewers, and the edges of every limit.
//!
//! Never: a wait without a deadline, a server that outlives its value, anything beyond loopback. Run by `cargo xtask test --only tenants` (`codes`,
//! `viewers`, `edges`), which names the binary in `VOELGOED_BIN`. To add a test: a file in `tests/`; to add a fixture: a module here.

pub mod server;
pub mod settled_map;
pub mod tenant;

/// True at full length (`cargo xtask test --long`).
#[must_use]
pub fn is_long() -> bool {
    std::env::var_os("VOELGOED_LONG").is_some()
}

/// For every effect that a test waits for.
pub const EFFECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);
