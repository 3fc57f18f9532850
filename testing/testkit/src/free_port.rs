//! Hands out free loopback ports to servers that need theirs before they start.
//!
//! Never: a port of the kernel's ephemeral range, since an outgoing connection may take it before the server starts; the same port twice in a
//! process.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;

/// Linux' ephemeral ports start at 32,768 by default.
const FIRST_PORT: u32 = 15_000;
const PORTS: u32 = 17_000;
/// Between the first ports of neighbouring process ids; by the golden ratio and coprime to [`PORTS`], so that processes spread.
const PROCESS_STRIDE: u32 = 10_507;

/// A loopback port that is free now.
///
/// # Errors
/// All ports are taken.
pub fn free_port() -> anyhow::Result<u16> {
    static HANDED_OUT: AtomicU32 = AtomicU32::new(0);
    let begin = process::id().wrapping_mul(PROCESS_STRIDE) % PORTS;
    (0..PORTS)
        .find_map(|_| {
            let at = (begin + HANDED_OUT.fetch_add(1, Ordering::Relaxed) % PORTS) % PORTS;
            let port = u16::try_from(FIRST_PORT + at).ok()?;
            TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
        })
        .context("every port is taken")
}

/// `127.0.0.1` with a free port.
///
/// # Errors
/// As [`free_port`].
pub fn free_address() -> anyhow::Result<String> {
    Ok(format!("127.0.0.1:{}", free_port()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_port_is_unused_and_handed_out_once() {
        let first = free_port().unwrap();
        // The next one, if it is free at all.
        let taken = TcpListener::bind(("127.0.0.1", first + 1));
        let later: Vec<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        assert!(!later.contains(&first));
        assert!(taken.is_err() || !later.contains(&(first + 1)));
        assert!(later.iter().all(|port| *port < 32_768));
    }
}
