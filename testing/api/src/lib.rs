//! Tests of the API over real HTTP, against the binary as it ships: tenants, ticket codes, viewers, and the edges of every limit.
//!
//! Never: a wait without a deadline, a server that outlives its value, anything beyond loopback. Run by `cargo xtask test --only tenants` (`codes`,
//! `viewers`, `edges`), which names the binary in `VOELGOED_BIN`. To add a test: a file in `tests/`; to add a subject of it: a module here.

pub mod server;
pub mod tenant;
pub mod viewer;

/// True at full length (`cargo xtask test --long`).
#[must_use]
pub fn is_long() -> bool {
    std::env::var_os("VOELGOED_LONG").is_some()
}

/// The longest that [`until`] looks.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(20);

/// Looks again every `every` until there is something, with a deadline.
///
/// # Errors
/// What a look says, or that there was nothing in time.
pub async fn until<T>(
    what: &str,
    every: std::time::Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let looking = async {
        let mut ticks = tokio::time::interval(every);
        loop {
            ticks.tick().await;
            if let Some(seen) = look().await? {
                return Ok(seen);
            }
        }
    };
    tokio::time::timeout(LONGEST, looking).await.map_err(|_| anyhow::anyhow!("{what}: not within {LONGEST:?}"))?
}
