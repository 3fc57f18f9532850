//! Locks the order of a refused refund and checks that the refund is still refused and its money not refunded otherwise (P5).

use voelgoed_app::checkout::ports::Order;
use voelgoed_app::payments::ports::Refund;
use voelgoed_app::payments::retry_or_settle_refund::not_refused;
use voelgoed_domain::ids::{OrganizationId, RefundId};
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::refusal::{Code, Refusal};

use super::{attempts, refunds};
use crate::checkout::order_row;
use crate::db::{DbError, DbResult, Tx};

/// Locks and returns the order and its refused refund. Refused: `not_found`, `wrong_state`, and `refund_too_large` where other refunds have returned the
/// money of the payment.
pub(super) async fn lock(
    tx: &mut Tx,
    organization: OrganizationId,
    id: RefundId,
) -> DbResult<Result<(Order, Refund), Refusal>> {
    let Some(found) = refunds::read(tx, organization, id).await? else { return Ok(Err(Refusal::not_found())) };
    let locked = order_row::lock_one(tx, organization, found.order).await?;
    let order = locked.ok_or_else(|| DbError::internal("a refund without its order"))?.order()?;
    let all = refunds::of_order(tx, organization, order.id).await?;
    let refund = all
        .iter()
        .find(|refund| refund.id == id)
        .ok_or_else(|| DbError::internal("a refund disappeared under its order's lock"))?;
    if refund.state != RefundState::Failed {
        return Ok(Err(not_refused()));
    }
    if let Some(payment) = refund.payment {
        let attempt = attempts::read_row(tx, organization, payment).await?;
        let attempt = attempt.ok_or_else(|| DbError::internal("a refund without its attempt"))?;
        let captured = attempt.captured()?.map_or(order.total.amount, |captured| captured.amount);
        let counts = |other: &&Refund| other.payment == refund.payment && other.state != RefundState::Failed;
        let returned: i64 = all.iter().filter(counts).map(|other| other.amount.amount).sum();
        if returned.saturating_add(refund.amount.amount) > captured {
            let detail = "Other refunds have returned the money of this payment meanwhile. Nothing was changed.";
            return Ok(Err(Refusal::new(Code::RefundTooLarge, detail)));
        }
    }
    Ok(Ok((order, refund.clone())))
}
