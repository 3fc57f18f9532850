//! The job of a capture that came too late: the same places anew where they are free, else the money back by itself (P2).

use voelgoed_domain::ids::{HoldId, OrganizationId, SessionId};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::LateWhy;
use voelgoed_domain::payments::late::{LateRefund, LateResolution, resolve_late};
use voelgoed_domain::payments::refund_plan::RefundRequest;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};

use super::learn::LateCapture;
use super::open_refund::refund_job;
use super::ports::{Attempt, NewRefund};
use crate::checkout::ports::OrderDetail;
use crate::checkout::read_order::read_order;
use crate::environment::fresh;
use crate::error::{Error, Fault, Result};
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;
use crate::ticketing::rebuild::loaded;

/// The places of a late capture are held for so long while they are bought anew.
const HOLD_MILLIS: u64 = 60_000;

/// Settles the capture; repeatable.
///
/// # Errors
/// A fault of warm or cold; the job is repeated.
pub async fn late_capture(platform: &Platform, organization: OrganizationId, late: LateCapture) -> Result<()> {
    let attempt = platform.payments.read_attempt(organization, late.payment).await?;
    let attempt = attempt.ok_or_else(|| Fault::internal("a late capture without its attempt"))?;
    if attempt.state != AttemptState::CapturedLate {
        return Ok(());
    }
    let detail = read_order(platform, organization, attempt.order).await?;
    if detail.refunds.iter().any(|refund| refund.payment == Some(attempt.id)) {
        return Ok(());
    }
    let why = why(&detail, &attempt, &late);
    let order = detail.facts();
    let scope = EventScope { organization, event: attempt.event };
    let listing = platform.listings.listing(scope).await?;
    let now = platform.environment.now();
    let admits = detail.lines.iter().all(|line| listing.check_admits(line.ticket_type, now).is_ok());
    let on_sale = admits && listing.check_on_sale(now).is_ok();
    let reason = match resolve_late(&order, why, true, on_sale) {
        LateResolution::Refund { reason } => reason,
        LateResolution::Reissue => {
            if hold_anew(platform, scope, &detail).await?
                && platform.payments.reissue(organization, attempt.id, platform.environment.now()).await?
            {
                return Ok(());
            }
            loaded(platform, scope, || platform.inventory.release(scope, resale_hold(&detail))).await.or_else(gone)?;
            match resolve_late(&order, why, false, on_sale) {
                LateResolution::Refund { reason } => reason,
                LateResolution::Reissue => LateRefund::PlacesGone,
            }
        }
    };
    give_back(platform, organization, &attempt, &late, reason).await
}

/// A hold that is over needs no release.
fn gone(error: Error) -> Result<()> {
    match error {
        Error::Refused(_) => Ok(()),
        Error::Fault(fault) => Err(fault.into()),
    }
}

fn why(detail: &OrderDetail, attempt: &Attempt, late: &LateCapture) -> LateWhy {
    if late.captured.currency != attempt.amount.currency {
        LateWhy::CurrencyDiffers
    } else if late.captured.amount != attempt.amount.amount {
        LateWhy::AmountDiffers
    } else if detail.order.state.was_paid() {
        LateWhy::AlreadyPaid
    } else {
        LateWhy::OrderClosed
    }
}

/// Takes the order's places by an ordinary hold, as any buyer would; false where somebody has one of them.
async fn hold_anew(platform: &Platform, scope: EventScope, detail: &OrderDetail) -> Result<bool> {
    let request = HoldRequest {
        // The same for each run of the job, so that a repeat finds its own hold.
        hold: resale_hold(detail),
        session: SessionId::from_uuid(detail.order.id.uuid()),
        picks: detail.lines.iter().map(|line| Pick::Place(line.place)).collect(),
        terms: String::new(),
        lasts_millis: HOLD_MILLIS,
        places_per_session: u32::MAX,
        of_version: 0,
        address: None,
        places_per_address: u32::MAX,
    };
    match loaded(platform, scope, || platform.inventory.hold(scope, request.clone())).await {
        Ok(_) => Ok(true),
        Err(Error::Refused(refusal)) if refusal.code != Code::TryAgain => Ok(false),
        Err(error) => Err(error),
    }
}

fn resale_hold(detail: &OrderDetail) -> HoldId {
    HoldId::from_uuid(detail.order.id.uuid())
}

async fn give_back(
    platform: &Platform,
    organization: OrganizationId,
    attempt: &Attempt,
    late: &LateCapture,
    reason: LateRefund,
) -> Result<()> {
    let id = fresh(&*platform.environment);
    let now = platform.environment.now();
    let refund = NewRefund {
        wish: RefundRequest::Amount(late.captured),
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
        job: refund_job(platform, organization, id)?,
    };
    match platform.payments.open_refund(organization, refund, None).await? {
        // A repeat of this job finds its refund written already.
        Ok(_) => Ok(()),
        Err(refusal) if refusal.code == Code::RefundTooLarge => Ok(()),
        Err(refusal) => Err(refusal.into()),
    }
}
