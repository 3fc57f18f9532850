//! Waiting for something that is observed, never for a time to pass.

use std::time::Duration;

use anyhow::bail;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until there is a value, for at most `limit`; `what` names it in the error.
///
/// # Errors
/// Where it did not come to be in time, or a look failed.
pub async fn until<T, F>(what: &str, limit: Duration, mut look: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let looking = async {
        let mut pace = tokio::time::interval(LOOK_EVERY);
        loop {
            pace.tick().await;
            if let Some(found) = look().await? {
                return Ok(found);
            }
        }
    };
    match tokio::time::timeout(limit, looking).await {
        Ok(found) => found,
        Err(_) => bail!("{what}: not within {} s", limit.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_ends_with_the_value_with_the_fault_or_at_the_limit() {
        let mut looks = 0;
        let third = until("three looks", Duration::from_secs(5), || {
            looks += 1;
            let seen = looks;
            async move { Ok((seen == 3).then_some(seen)) }
        });
        assert_eq!(third.await.unwrap(), 3);
        let fault = until::<(), _>("a fault", Duration::from_secs(5), || async { bail!("broken") });
        assert_eq!(fault.await.unwrap_err().to_string(), "broken");
        let never = until::<(), _>("nothing", Duration::from_millis(120), || async { Ok(None) });
        assert!(never.await.unwrap_err().to_string().contains("nothing: not within"));
    }
}
