//! Reconciles unresolved payment attempts: sends those that no node has sent, and polls the provider about the rest.
//!
//! Takes no input; any node may repeat it at any time.

use std::time::Duration;

use futures::StreamExt;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Observation, PAY_BY_GRACE};
use voelgoed_domain::payments::expiry::UNRESOLVED_ALARM_AFTER;
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::metrics::payments::unresolved;

use super::Payments;
use super::ports::Attempt;
use super::send_attempt::provider_key;
use crate::error::CommandResult;

/// Attempts that one round polls.
pub const ATTEMPTS_PER_ROUND_MAX: u32 = 100;
/// Concurrent polls; a provider that does not answer takes a whole deadline for each.
const POLLS_IN_FLIGHT_MAX: usize = 16;
/// The time between two rounds.
pub const RECONCILE_INTERVAL: Duration = Duration::from_secs(1);

impl Payments {
    /// Runs one round; returns the number of examined attempts.
    ///
    /// # Errors
    /// A fault of the cold tier.
    pub async fn resolve_attempts(&self) -> CommandResult<usize> {
        let now = self.context.now();
        let before = now.minus(self.context.times.poll_interval);
        let attempts = self.store.take_unresolved(before, now, ATTEMPTS_PER_ROUND_MAX).await?;
        futures::stream::iter(&attempts)
        .for_each_concurrent(POLLS_IN_FLIGHT_MAX, |attempt| async move {
            // An error of one attempt must not stop the polls of the others.
            if let Err(error) = self.resolve_one(attempt).await {
                tracing::warn!(payment = %attempt.id, organization = %attempt.organization, %error, slice = "payments", "an attempt stays unresolved");
            }
        })
        .await;
        let left = self.store.unresolved().await?;
        unresolved(left.count, left.oldest.map_or(Duration::ZERO, |oldest| self.context.now().since(oldest)));
        Ok(attempts.len())
    }

    /// True if no node sends the attempt any more: its sender got no answer and its lease has ended, or the payment deadline has passed.
    fn was_given_up(&self, attempt: &Attempt, now: Timestamp) -> bool {
        let unanswered =
            attempt.state == AttemptState::Unknown && now >= attempt.created_at.plus(self.context.times.send_lease);
        unanswered || now >= attempt.pay_by.plus(PAY_BY_GRACE)
    }

    async fn resolve_one(&self, attempt: &Attempt) -> CommandResult<()> {
        let now = self.context.now();
        if now >= attempt.pay_by.plus(UNRESOLVED_ALARM_AFTER) {
            tracing::error!(payment = %attempt.id, organization = %attempt.organization, provider = attempt.provider, slice = "payments", "an attempt is unresolved for too long; check it at the provider by hand");
        }
        if attempt.state == AttemptState::Created && now < attempt.send_before {
            return self.send_attempt(attempt.organization, attempt.id).await;
        }
        let gateway = self.gateway(&attempt.provider)?;
        let mut observation = gateway.poll(provider_key(attempt)).await;
        if observation == Observation::Absent && self.was_given_up(attempt, now) {
            // The charge did not arrive. Cancelling bars the key at the provider, so that the attempt can be closed here: the buyer may pay again while
            // the order is open, and the places are freed after its deadline.
            observation = gateway.cancel(provider_key(attempt)).await;
        }
        self.apply_observation(attempt.organization, attempt.id, observation).await?;
        Ok(())
    }
}
