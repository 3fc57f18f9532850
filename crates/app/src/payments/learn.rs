//! Whatever is learned about an attempt, from whomever, goes through here: the domain decides, one commit carries it out (P2).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use voelgoed_domain::ids::{OrganizationId, PaymentId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::decide::{Decision, Observation};
use voelgoed_resilience::log_interval::LogInterval;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::checkout::{OrderEnd, order_ended, order_issued};
use voelgoed_telemetry::metrics::payments::{AttemptEnd, attempt_ended};

use super::ports::Learned;
use crate::environment::fresh;
use crate::error::{Fault, Result};
use crate::jobs::ports::{NewJob, Queue};
use crate::platform::Platform;

/// Payments that are not here are logged once in so long, with their number.
static NO_ATTEMPT_LINES: LogInterval = LogInterval::new(Duration::from_secs(60));

/// The job that settles a capture which came too late.
pub const LATE_CAPTURE: &str = "payments.late_capture";

/// What [`LATE_CAPTURE`] is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LateCapture {
    /// The attempt.
    pub payment: PaymentId,
    /// What the provider took.
    pub captured: Money,
}

/// Commits what was learned and what follows from it.
///
/// # Errors
/// A fault of the cold tier; nothing was learned then, and it will be asked again.
pub async fn learn(
    platform: &Platform,
    organization: OrganizationId,
    payment: PaymentId,
    observation: Observation,
) -> Result<Decision> {
    let at = platform.environment.now();
    let observation = observation.cleaned();
    let late_capture_job = match &observation {
        Observation::Captured { amount, .. } | Observation::Claimed { amount, .. } => Some(NewJob {
            id: fresh(&*platform.environment),
            organization: Some(organization),
            kind: LATE_CAPTURE,
            queue: Queue::Payments,
            payload: serde_json::to_value(LateCapture { payment, captured: *amount }).map_err(Fault::internal)?,
            run_at: at,
            unique_key: Some(format!("{LATE_CAPTURE}:{payment}")),
            max_attempts: 50,
        }),
        _ => None,
    };
    let learned = Learned { payment, observation, at, late_capture_job };
    let watch = Stopwatch::start();
    let decision = platform.payments.learn(organization, learned).await?;
    count(&decision, watch);
    if decision == Decision::NoAttempt {
        if let Some(suppressed) = NO_ATTEMPT_LINES.due() {
            tracing::error!(%organization, %payment, suppressed, slice = "payments", "a provider tells of a payment that is not here; compare its list with the orders");
        }
    } else if decision != Decision::Nothing {
        tracing::info!(%organization, %payment, ?decision, slice = "payments", "learned of an attempt");
    }
    Ok(decision)
}

fn count(decision: &Decision, watch: Stopwatch) {
    match decision {
        Decision::Nothing | Decision::NoAttempt | Decision::Ask | Decision::Record(_) => {}
        Decision::Fail { .. } => attempt_ended(AttemptEnd::Failed),
        Decision::Void { expire_order } => {
            attempt_ended(AttemptEnd::Voided);
            if *expire_order {
                order_ended(OrderEnd::Expired);
            }
        }
        Decision::CapturedLate { .. } => attempt_ended(AttemptEnd::CapturedLate),
        Decision::Issue => {
            attempt_ended(AttemptEnd::Captured);
            order_ended(OrderEnd::Paid);
            order_issued(watch.elapsed());
        }
    }
}
