//! Polls a condition until it yields a value or a deadline passes, so that suites wait for what they observe and never for time to pass.

use std::time::Duration;

use anyhow::bail;

const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Calls `poll` until it yields a value, for at most `timeout`; `what` names the awaited state in the error.
///
/// # Errors
/// `poll` failed, or yielded nothing before the timeout.
pub async fn until<T, F>(what: &str, timeout: Duration, mut poll: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let polling = async {
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        loop {
            ticks.tick().await;
            if let Some(found) = poll().await? {
                return Ok(found);
            }
        }
    };
    match tokio::time::timeout(timeout, polling).await {
        Ok(found) => found,
        Err(_) => bail!("{what}: not within {} s", timeout.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn polling_ends_with_the_value_the_error_or_the_timeout() {
        let mut polls = 0;
        let third = until("three polls", Duration::from_secs(5), || {
            polls += 1;
            let seen = polls;
            async move { Ok((seen == 3).then_some(seen)) }
        });
        assert_eq!(third.await.unwrap(), 3);
        let error = until::<(), _>("an error", Duration::from_secs(5), || async { bail!("broken") });
        assert_eq!(error.await.unwrap_err().to_string(), "broken");
        let never = until::<(), _>("nothing", Duration::from_millis(120), || async { Ok(None) });
        assert!(never.await.unwrap_err().to_string().contains("nothing: not within"));
    }
}
