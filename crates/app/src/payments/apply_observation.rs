//! Applies an observation of a payment attempt: the domain decides, and one commit writes the consequences (P2).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use voelgoed_domain::ids::{OrganizationId, PaymentId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::decide::{Observation, PaymentDecision};
use voelgoed_resilience::log_interval::LogInterval;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::checkout::{OrderEnd, order_ended, order_issued};
use voelgoed_telemetry::metrics::payments::{AttemptEnd, attempt_ended};

use super::Payments;
use super::ports::PaymentObservation;
use crate::error::{CommandResult, Fault};
use crate::jobs::ports::{NewJob, Queue};

/// Limits the log lines about unknown payments.
static NO_ATTEMPT_LOG_INTERVAL: LogInterval = LogInterval::new(Duration::from_secs(60));

/// The kind of the job that settles an unmatched capture. Stored jobs have this text, so it keeps the former name.
pub const UNMATCHED_CAPTURE: &str = "payments.late_capture";

/// The payload of [`UNMATCHED_CAPTURE`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnmatchedCapture {
    /// The attempt.
    pub payment: PaymentId,
    /// The captured amount.
    pub captured: Money,
}

impl Payments {
    /// Commits the observation and its consequences.
    ///
    /// # Errors
    /// A fault of the cold tier. Whether the observation was stored is unknown; the reconciler polls the attempt again.
    pub async fn apply_observation(
        &self,
        organization: OrganizationId,
        payment: PaymentId,
        observation: Observation,
    ) -> CommandResult<PaymentDecision> {
        let at = self.context.now();
        let observation = observation.cleaned();
        let unmatched_capture_job = match &observation {
            Observation::Captured { amount, .. } | Observation::Claimed { amount, .. } => Some(NewJob {
                id: self.context.new_id(),
                organization: Some(organization),
                kind: UNMATCHED_CAPTURE,
                queue: Queue::Payments,
                payload: serde_json::to_value(UnmatchedCapture { payment, captured: *amount })
                    .map_err(Fault::internal)?,
                run_at: at,
                unique_key: Some(format!("{UNMATCHED_CAPTURE}:{payment}")),
                max_attempts: 50,
            }),
            _ => None,
        };
        let update = PaymentObservation { payment, observation, at, unmatched_capture_job };
        let watch = Stopwatch::start();
        let decision = self.store.apply_observation(organization, update).await?;
        count(&decision, watch);
        if decision == PaymentDecision::NoAttempt {
            if let Some(suppressed) = NO_ATTEMPT_LOG_INTERVAL.due() {
                tracing::error!(%organization, %payment, suppressed, slice = "payments", "a provider reported a payment that has no attempt; compare the provider's list with the orders");
            }
        } else if decision != PaymentDecision::Nothing {
            tracing::info!(%organization, %payment, ?decision, slice = "payments", "applied an observation to an attempt");
        }
        Ok(decision)
    }
}

fn count(decision: &PaymentDecision, watch: Stopwatch) {
    match decision {
        PaymentDecision::Nothing
        | PaymentDecision::NoAttempt
        | PaymentDecision::QueryProvider
        | PaymentDecision::Record(_) => {}
        PaymentDecision::Fail { .. } => attempt_ended(AttemptEnd::Failed),
        PaymentDecision::Void { expire_order } => {
            attempt_ended(AttemptEnd::Voided);
            if *expire_order {
                order_ended(OrderEnd::Expired);
            }
        }
        PaymentDecision::CapturedUnmatched { .. } => attempt_ended(AttemptEnd::CapturedUnmatched),
        PaymentDecision::Issue => {
            attempt_ended(AttemptEnd::Captured);
            order_ended(OrderEnd::Paid);
            order_issued(watch.elapsed());
        }
    }
}
