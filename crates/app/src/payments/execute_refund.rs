//! Executes a refund as a job: revokes its tickets in warm, then frees their places in cold, then calls the provider (P2, P6).
//!
//! Each step is idempotent and none is skipped, so the job may be repeated from the start after a crash.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use voelgoed_domain::ids::{OrganizationId, RefundId};
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_resilience::{Capability, Degradation};

use voelgoed_telemetry::metrics::payments::{RefundStep, refund as refund_reached};

use super::Payments;
use super::ports::{Refund, RefundCharge, RefundObservation};
use super::send_attempt::provider_key;
use crate::error::{CommandResult, Fault};
use crate::jobs::handler::{JobContext, JobHandler, JobOutcome};
use crate::ticketing::ports::EventScope;

/// Until the next poll of a refund that its provider has not decided.
const REFUND_POLL_INTERVAL: Duration = Duration::from_secs(3);
/// The job's name.
pub const EXECUTE_REFUND: &str = "payments.carry_out_refund";

/// The payload of the job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExecuteRefund {
    /// The refund.
    pub refund: RefundId,
}

/// The progress of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundProgress {
    /// Done, or refused by the provider.
    Settled,
    /// The provider has not decided or did not answer; the job runs again later.
    Open,
}

impl Payments {
    /// Executes the refund as far as possible now.
    ///
    /// # Errors
    /// A fault of warm or cold; the job is repeated.
    pub async fn execute_refund(&self, organization: OrganizationId, id: RefundId) -> CommandResult<RefundProgress> {
        let Some(refund) = self.store.read_refund(organization, id).await? else {
            return Err(Fault::internal(format!("refund {id} does not exist")).into());
        };
        if !refund.tickets_revoked {
            self.revoke_tickets(&refund).await?;
        }
        let seen = match refund.state {
            RefundState::Done | RefundState::Failed => return Ok(RefundProgress::Settled),
            // Free tickets have no provider.
            _ if refund.amount.is_zero() => RefundObservation::Done { provider_ref: String::new() },
            RefundState::Pending => self.request_refund(&refund).await?,
            RefundState::Unknown => self.poll_refund(&refund).await?,
        };
        let state = self.store.record_refund(organization, id, seen.cleaned(), self.context.now()).await?;
        refund_reached(match state {
            RefundState::Done => RefundStep::Done,
            RefundState::Failed => RefundStep::Failed,
            RefundState::Pending => RefundStep::Pending,
            RefundState::Unknown => RefundStep::Unknown,
        });
        Ok(match state {
            RefundState::Done | RefundState::Failed => RefundProgress::Settled,
            RefundState::Pending | RefundState::Unknown => RefundProgress::Open,
        })
    }

    async fn revoke_tickets(&self, refund: &Refund) -> CommandResult<()> {
        let scope = EventScope { organization: refund.organization, event: refund.event };
        let degradation = self.context.require(Capability::IssueAndRefund)?;
        // While warm is unavailable, gates use cold alone, and the revocation stays in the outbox until warm is back.
        if !refund.tickets.is_empty() && degradation != Some(Degradation::WarmFollows) {
            self.places.mark_revoked(scope, &refund.tickets).await?;
        }
        self.store.finish_revocation(refund.organization, refund.id, self.context.now()).await?;
        Ok(())
    }

    async fn request_refund(&self, refund: &Refund) -> CommandResult<RefundObservation> {
        let missing = || Fault::internal("a refund has no attempt");
        let payment = refund.payment.ok_or_else(missing)?;
        let attempt = self.store.read_attempt(refund.organization, payment).await?.ok_or_else(missing)?;
        let charge = RefundCharge { refund: refund.id, key: provider_key(&attempt), amount: refund.amount };
        Ok(self.gateway(&refund.provider)?.refund(&charge).await)
    }

    /// Polls the provider; requests the refund again under the same key if the provider does not know it.
    async fn poll_refund(&self, refund: &Refund) -> CommandResult<RefundObservation> {
        match self.gateway(&refund.provider)?.poll_refund(refund.id).await {
            RefundObservation::NotReached => self.request_refund(refund).await,
            seen => Ok(seen),
        }
    }
}

/// Runs the job of a refund.
pub(super) struct RefundHandler(pub(super) Arc<Payments>);

#[async_trait]
impl JobHandler for RefundHandler {
    fn kind(&self) -> &'static str {
        EXECUTE_REFUND
    }

    async fn run(&self, job: JobContext) -> JobOutcome {
        let ExecuteRefund { refund } = match job.payload() {
            Ok(payload) => payload,
            Err(unreadable) => return unreadable,
        };
        let Some(organization) = job.organization() else {
            return JobOutcome::Dead("a refund without organization".to_owned());
        };
        match self.0.execute_refund(organization, refund).await {
            Ok(RefundProgress::Settled) => JobOutcome::Done,
            Ok(RefundProgress::Open) => JobOutcome::Snooze(REFUND_POLL_INTERVAL),
            Err(error) => error.into(),
        }
    }
}
