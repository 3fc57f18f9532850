//! The reconciler of unresolved attempts: sends what nobody sent, and asks the provider about the rest. Takes no input; repeatable.

use std::time::Duration;

use futures::StreamExt;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Observation, PAY_BY_GRACE};
use voelgoed_domain::payments::expiry::UNRESOLVED_ALARM_AFTER;
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::metrics::payments::unresolved;

use super::learn::learn;
use super::ports::Attempt;
use super::send::{provider_key, send};
use crate::error::Result;
use crate::platform::Platform;

/// One round asks about at most so many attempts.
pub const MOST_PER_ROUND: u32 = 100;
/// Attempts asked about at once: a silent provider takes a whole deadline for each.
const AT_ONCE: usize = 16;
/// How often it runs.
pub const EVERY: Duration = Duration::from_secs(1);

/// One round; returns how many attempts were looked at.
///
/// # Errors
/// A fault of the cold tier.
pub async fn resolve(platform: &Platform) -> Result<usize> {
    let now = platform.environment.now();
    let before = now.minus(platform.times.poll_every);
    let attempts = platform.payments.take_unresolved(before, now, MOST_PER_ROUND).await?;
    futures::stream::iter(&attempts)
        .for_each_concurrent(AT_ONCE, |attempt| async move {
            // One attempt's trouble must not keep the others from being asked about.
            if let Err(error) = resolve_one(platform, attempt).await {
                tracing::warn!(payment = %attempt.id, organization = %attempt.organization, %error, slice = "payments", "an attempt stays unresolved");
            }
        })
        .await;
    let left = platform.payments.unresolved().await?;
    unresolved(left.count, left.oldest.map_or(Duration::ZERO, |oldest| platform.environment.now().since(oldest)));
    Ok(attempts.len())
}

/// True once nobody sends it any more: its sender had no answer and its lease is over, or its time is.
fn was_given_up(platform: &Platform, attempt: &Attempt, now: Timestamp) -> bool {
    let unanswered =
        attempt.state == AttemptState::Unknown && now >= attempt.created_at.plus(platform.times.send_lease);
    unanswered || now >= attempt.pay_by.plus(PAY_BY_GRACE)
}

async fn resolve_one(platform: &Platform, attempt: &Attempt) -> Result<()> {
    let now = platform.environment.now();
    if now >= attempt.pay_by.plus(UNRESOLVED_ALARM_AFTER) {
        tracing::error!(payment = %attempt.id, organization = %attempt.organization, provider = attempt.provider, slice = "payments", "an attempt is unresolved for too long; ask the provider by hand");
    }
    if attempt.state == AttemptState::Created && now < attempt.send_before {
        return send(platform, attempt.organization, attempt.id).await;
    }
    let gateway = platform.gateway(&attempt.provider)?;
    let mut observation = gateway.poll(provider_key(attempt)).await;
    if observation == Observation::Absent && was_given_up(platform, attempt, now) {
        // It never arrived: barred there, so that it never will, it can be closed here. While its order is open the buyer may pay anew, and
        // where that is over its places go.
        observation = gateway.cancel(provider_key(attempt)).await;
    }
    learn(platform, attempt.organization, attempt.id, observation).await?;
    Ok(())
}
