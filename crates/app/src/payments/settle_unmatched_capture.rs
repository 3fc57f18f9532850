//! Settles an unmatched capture, as a job: reissues an ended order if its places are free, else refunds the money (P2).
//!
//! Never: decides again why the capture matches no order; the commit of the capture stored the reason with the attempt.

use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_domain::ids::{HoldId, OrganizationId, SessionId};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::UnmatchedReason;
use voelgoed_domain::payments::refund_plan::RefundSelection;
use voelgoed_domain::payments::unmatched_capture::{UnmatchedRefundReason, UnmatchedResolution, resolve_unmatched};
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};

use super::Payments;
use super::apply_observation::{UNMATCHED_CAPTURE, UnmatchedCapture};
use super::ports::{Attempt, NewRefund};
use crate::checkout::ports::OrderDetail;
use crate::error::{CommandError, CommandResult, Fault};
use crate::jobs::handler::{JobContext, JobHandler, JobOutcome};
use crate::ticketing::ports::EventScope;

/// The life of the hold on the places while they are reissued.
const HOLD_MILLIS: u64 = 60_000;

impl Payments {
    /// Settles the capture; idempotent.
    ///
    /// # Errors
    /// A fault of warm or cold; the job is repeated.
    pub async fn settle_unmatched_capture(
        &self,
        organization: OrganizationId,
        capture: UnmatchedCapture,
    ) -> CommandResult<()> {
        let attempt = self.store.read_attempt(organization, capture.payment).await?;
        let attempt = attempt.ok_or_else(|| Fault::internal("an unmatched capture has no attempt"))?;
        if attempt.state != AttemptState::CapturedUnmatched {
            return Ok(());
        }
        let detail = self.orders.read(organization, attempt.order).await?;
        if detail.refunds.iter().any(|refund| refund.payment == Some(attempt.id)) {
            return Ok(());
        }
        let why = stored_reason(&attempt)?;
        let order = detail.payment_inputs();
        let scope = EventScope { organization, event: attempt.event };
        let listing = self.listings.listing(scope).await?;
        let now = self.context.now();
        let admits = detail.lines.iter().all(|line| listing.check_type_still_admits(line.ticket_type, now).is_ok());
        let on_sale = admits && listing.check_on_sale(now).is_ok();
        let reason = match resolve_unmatched(&order, why, true, on_sale) {
            UnmatchedResolution::Refund { reason } => reason,
            UnmatchedResolution::Reissue => {
                if self.hold_again(scope, &detail).await?
                    && self.store.reissue(organization, attempt.id, self.context.now()).await?
                {
                    return Ok(());
                }
                self.places.release(scope, resale_hold(&detail)).await.or_else(ignore_missing_hold)?;
                match resolve_unmatched(&order, why, false, on_sale) {
                    UnmatchedResolution::Refund { reason } => reason,
                    UnmatchedResolution::Reissue => UnmatchedRefundReason::PlacesGone,
                }
            }
        };
        self.refund_unmatched_capture(organization, &attempt, &capture, reason).await
    }

    /// Takes the order's places by an ordinary hold; false if another buyer has one of them.
    async fn hold_again(&self, scope: EventScope, detail: &OrderDetail) -> CommandResult<bool> {
        let request = HoldRequest {
            // The same identifier in each run of the job, so that a repeat finds its own hold.
            hold: resale_hold(detail),
            session: SessionId::from_uuid(detail.order.id.uuid()),
            picks: detail.lines.iter().map(|line| Pick::Place(line.place)).collect(),
            terms: String::new(),
            lasts_millis: HOLD_MILLIS,
            places_per_session: u32::MAX,
            expected_version: 0,
            address: None,
            places_per_address: u32::MAX,
        };
        match self.places.hold_again(scope, request).await {
            Ok(()) => Ok(true),
            Err(CommandError::Refused(refusal)) if refusal.code != Code::TryAgain => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn refund_unmatched_capture(
        &self,
        organization: OrganizationId,
        attempt: &Attempt,
        capture: &UnmatchedCapture,
        reason: UnmatchedRefundReason,
    ) -> CommandResult<()> {
        let id = self.context.new_id();
        let now = self.context.now();
        let refund = NewRefund {
            selection: RefundSelection::Amount(capture.captured),
            revoke: Some(false),
            id,
            order: attempt.order,
            payment: Some(attempt.id),
            amount: capture.captured,
            tickets: Vec::new(),
            reason: reason.as_str().to_owned(),
            forced: false,
            actor: "system".to_owned(),
            at: now,
            job: self.refund_job(organization, id)?,
        };
        match self.store.open_refund(organization, refund, None).await? {
            // A repeat of this job finds its refund already written.
            Ok(_) => Ok(()),
            Err(refusal) if refusal.code == Code::RefundTooLarge => Ok(()),
            Err(refusal) => Err(refusal.into()),
        }
    }
}

/// An ended hold needs no release.
fn ignore_missing_hold(error: CommandError) -> CommandResult<()> {
    match error {
        CommandError::Refused(_) => Ok(()),
        CommandError::Fault(fault) => Err(fault.into()),
    }
}

/// The reason that [`decide`](voelgoed_domain::payments::decide::decide) found.
fn stored_reason(attempt: &Attempt) -> Result<UnmatchedReason, Fault> {
    UnmatchedReason::parse(attempt.reason.as_deref().unwrap_or_default()).map_err(Fault::internal)
}

fn resale_hold(detail: &OrderDetail) -> HoldId {
    HoldId::from_uuid(detail.order.id.uuid())
}

/// Runs the job of an unmatched capture.
pub(super) struct UnmatchedCaptureHandler(pub(super) Arc<Payments>);

#[async_trait]
impl JobHandler for UnmatchedCaptureHandler {
    fn kind(&self) -> &'static str {
        UNMATCHED_CAPTURE
    }

    async fn run(&self, job: JobContext) -> JobOutcome {
        let capture: UnmatchedCapture = match job.payload() {
            Ok(payload) => payload,
            Err(unreadable) => return unreadable,
        };
        let Some(organization) = job.organization() else {
            return JobOutcome::Dead("a capture without organization".to_owned());
        };
        match self.0.settle_unmatched_capture(organization, capture).await {
            Ok(()) => JobOutcome::Done,
            Err(error) => error.into(),
        }
    }
}
