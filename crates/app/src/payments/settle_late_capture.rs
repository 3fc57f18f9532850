//! Settles a capture that arrived after its order ended, as a job: reissues the tickets if the same places are free, else refunds the money (P2).

use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_domain::ids::{HoldId, OrganizationId, SessionId};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::LateCaptureReason;
use voelgoed_domain::payments::late_capture::{LateRefundReason, LateResolution, resolve_late};
use voelgoed_domain::payments::refund_plan::RefundSelection;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};

use super::Payments;
use super::apply_observation::{LATE_CAPTURE, LateCapture};
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
    pub async fn settle_late_capture(&self, organization: OrganizationId, late: LateCapture) -> CommandResult<()> {
        let attempt = self.store.read_attempt(organization, late.payment).await?;
        let attempt = attempt.ok_or_else(|| Fault::internal("a late capture has no attempt"))?;
        if attempt.state != AttemptState::CapturedLate {
            return Ok(());
        }
        let detail = self.orders.read(organization, attempt.order).await?;
        if detail.refunds.iter().any(|refund| refund.payment == Some(attempt.id)) {
            return Ok(());
        }
        let late_reason = late_capture_reason(&detail, &attempt, &late);
        let order = detail.payment_inputs();
        let scope = EventScope { organization, event: attempt.event };
        let listing = self.listings.listing(scope).await?;
        let now = self.context.now();
        let admits = detail.lines.iter().all(|line| listing.check_type_still_admits(line.ticket_type, now).is_ok());
        let on_sale = admits && listing.check_on_sale(now).is_ok();
        let reason = match resolve_late(&order, late_reason, true, on_sale) {
            LateResolution::Refund { reason } => reason,
            LateResolution::Reissue => {
                if self.hold_again(scope, &detail).await?
                    && self.store.reissue(organization, attempt.id, self.context.now()).await?
                {
                    return Ok(());
                }
                self.places.release(scope, resale_hold(&detail)).await.or_else(ignore_missing_hold)?;
                match resolve_late(&order, late_reason, false, on_sale) {
                    LateResolution::Refund { reason } => reason,
                    LateResolution::Reissue => LateRefundReason::PlacesGone,
                }
            }
        };
        self.refund_late_capture(organization, &attempt, &late, reason).await
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

    async fn refund_late_capture(
        &self,
        organization: OrganizationId,
        attempt: &Attempt,
        late: &LateCapture,
        reason: LateRefundReason,
    ) -> CommandResult<()> {
        let id = self.context.new_id();
        let now = self.context.now();
        let refund = NewRefund {
            selection: RefundSelection::Amount(late.captured),
            revoke: Some(false),
            id,
            order: attempt.order,
            payment: Some(attempt.id),
            amount: late.captured,
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

fn late_capture_reason(detail: &OrderDetail, attempt: &Attempt, late: &LateCapture) -> LateCaptureReason {
    if late.captured.currency != attempt.amount.currency {
        LateCaptureReason::CurrencyDiffers
    } else if late.captured.amount != attempt.amount.amount {
        LateCaptureReason::AmountDiffers
    } else if detail.order.state.was_paid() {
        LateCaptureReason::AlreadyPaid
    } else {
        LateCaptureReason::OrderClosed
    }
}

fn resale_hold(detail: &OrderDetail) -> HoldId {
    HoldId::from_uuid(detail.order.id.uuid())
}

/// Runs the job of a late capture.
pub(super) struct LateCaptureHandler(pub(super) Arc<Payments>);

#[async_trait]
impl JobHandler for LateCaptureHandler {
    fn kind(&self) -> &'static str {
        LATE_CAPTURE
    }

    async fn run(&self, job: JobContext) -> JobOutcome {
        let late: LateCapture = match job.payload() {
            Ok(payload) => payload,
            Err(unreadable) => return unreadable,
        };
        let Some(organization) = job.organization() else {
            return JobOutcome::Dead("a capture without organization".to_owned());
        };
        match self.0.settle_late_capture(organization, late).await {
            Ok(()) => JobOutcome::Done,
            Err(error) => error.into(),
        }
    }
}
