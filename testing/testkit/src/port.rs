//! Ports for servers that must be told theirs before they start.
//!
//! Never: a port of the range from which the kernel serves connections that go out; one of those may take it between the look and the server's
//! start (and every suite makes thousands). Never the same port twice in a process, so that none is promised to two servers.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;

/// The first one given out. Linux takes its own from 32,768 on, unless it is told otherwise.
const FIRST: u32 = 15_000;
/// How many there are.
const PORTS: u32 = 17_000;
/// Neighbouring process ids begin this far apart: by the golden section, without a divisor in common with [`PORTS`], so that they spread.
const STRIDE: u32 = 10_507;

/// A port of loopback that nobody has now.
///
/// # Errors
/// Where all are taken.
pub fn free_port() -> anyhow::Result<u16> {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let begin = process::id().wrapping_mul(STRIDE) % PORTS;
    (0..PORTS)
        .find_map(|_| {
            let at = (begin + GIVEN.fetch_add(1, Ordering::Relaxed) % PORTS) % PORTS;
            let port = u16::try_from(FIRST + at).ok()?;
            TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
        })
        .context("every port is taken")
}

/// The same as an address.
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
    fn no_port_is_given_twice_and_none_that_is_taken() {
        let first = free_port().unwrap();
        // The next one, if it is free at all.
        let taken = TcpListener::bind(("127.0.0.1", first + 1));
        let later: Vec<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        assert!(!later.contains(&first));
        assert!(taken.is_err() || !later.contains(&(first + 1)));
        assert!(later.iter().all(|port| *port < 32_768));
    }
}
