//! An organizer gives money back: by tickets, or an amount (P5, P6).
//!
//! Written first, then carried out by a job: tickets stop admitting before their places are free, and the provider is asked last.

use voelgoed_domain::checkout::amounts::{LineAmounts, TaxPlacement};
use voelgoed_domain::ids::{OrderId, OrganizationId, PaymentId, RefundId, TicketId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::late::{LateTry, still_owed};
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::payments::refund_plan::{RefundFacts, RefundPlan, RefundRequest, TicketFacts, plan_refund};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::text::lines;
use voelgoed_resilience::{Capability, Degradation};

use super::carry_out_refund::{CARRY_OUT_REFUND, CarryOutRefund};
use super::ports::{Attempt, NewRefund, Refund};
use crate::checkout::ports::{OrderDetail, OrderLine};
use crate::checkout::read_order::read_order;
use crate::environment::fresh;
use crate::error::{Fault, Result};
use crate::idempotency::{Created, IdempotencyRecord, Idempotent, replay_or};
use crate::jobs::ports::{NewJob, Queue};
use crate::platform::Platform;
use crate::scanning::gate_filter_sync::{announce, answered};
use crate::ticketing::ports::{EventScope, GateFilter};

/// The longest reason, in characters.
pub const LONGEST_REASON: usize = 200;
/// A refund's provider is asked at most so often before a person must look.
const MOST_ATTEMPTS: u32 = 50;

/// A refund to open.
pub struct OpenRefund<'a> {
    /// The order.
    pub order: OrderId,
    /// What is given back.
    pub wish: RefundRequest,
    /// Whether tickets are taken back; where that is not said, named ones are, and the unused ones of an amount that is all that is left.
    pub revoke: Option<bool>,
    /// Why, for people.
    pub reason: String,
    /// True: also tickets that have admitted.
    pub forced: bool,
    /// Who asks.
    pub actor: String,
    /// The request's key.
    pub idempotent: Idempotent<'a, Refund>,
}

/// Writes the refund and sets it off.
///
/// # Errors
/// `refund_too_large`, `ticket_used`, `wrong_state`, `not_found`, `invalid_request`.
pub async fn open_refund(
    platform: &Platform,
    organization: OrganizationId,
    command: OpenRefund<'_>,
) -> Result<Created<Refund>> {
    match plan_and_write(platform, organization, &command).await {
        Err(refused) => replay_or(platform, organization, &command.idempotent.key, refused).await,
        opened => opened,
    }
}

async fn plan_and_write(
    platform: &Platform,
    organization: OrganizationId,
    command: &OpenRefund<'_>,
) -> Result<Created<Refund>> {
    platform.capable(Capability::IssueAndRefund)?;
    let reason = lines("reason", &command.reason, LONGEST_REASON)?;
    if reason.is_empty() {
        return Err(Refusal::invalid("reason", format!("Give a reason of 1 to {LONGEST_REASON} characters.")).into());
    }
    let now = platform.environment.now();
    let key = &command.idempotent.key;
    if let Some(stored) = platform.idempotency.find(organization, key, now).await? {
        return crate::idempotency::replay(stored, &key.request);
    }
    let detail = read_order(platform, organization, command.order).await?;
    let (captured, amount, tickets) = source(&detail, command)?;
    let id = fresh(&*platform.environment);
    let refund = Refund {
        id,
        organization,
        event: detail.order.event,
        order: detail.order.id,
        payment: captured.map(|attempt| attempt.id),
        provider: captured.map(|attempt| attempt.provider.clone()).unwrap_or_default(),
        amount,
        tickets,
        reason,
        state: RefundState::Pending,
        failure: None,
        tickets_revoked: false,
        created_at: now,
    };
    let new = NewRefund {
        wish: command.wish.clone(),
        revoke: command.revoke,
        id,
        order: refund.order,
        payment: refund.payment,
        amount,
        tickets: refund.tickets.clone(),
        reason: refund.reason.clone(),
        forced: command.forced,
        actor: command.actor.clone(),
        at: now,
        job: refund_job(platform, organization, id)?,
    };
    let record = command.idempotent.record(&refund, now)?;
    let created = write(platform, &refund, new, record).await?;
    Ok(created.map(|()| refund))
}

/// Both tiers hear that the tickets no longer admit, as they do of a scan; warm, where it is away, from the job and the outbox.
async fn write(platform: &Platform, refund: &Refund, new: NewRefund, record: IdempotencyRecord) -> Result<Created<()>> {
    let scope = EventScope { organization: refund.organization, event: refund.event };
    let (act, tickets) = (refund.id.uuid(), refund.tickets.as_slice());
    let warm_hears = platform.capable(Capability::IssueAndRefund)? != Some(Degradation::WarmFollows);
    let announced = warm_hears && !tickets.is_empty() && announce(platform, scope, act, tickets).await;
    let written = platform.payments.open_refund(refund.organization, new, Some(record)).await;
    let became = match &written {
        Ok(Ok(Created::Fresh(()))) => Some(GateFilter::Revoked),
        Ok(Ok(Created::Replayed(_)) | Err(_)) | Err(Fault::Away { .. }) => announced.then_some(GateFilter::Unseen),
        // It may be written: warm lets nobody in on these tickets alone.
        Err(Fault::Ambiguous { .. } | Fault::Internal(_)) => None,
    };
    if let Some(became) = became.filter(|_| !tickets.is_empty()) {
        answered(platform, scope, act, tickets, became, announced).await;
    }
    Ok(written??)
}

/// Whose money goes back, how much, and with which tickets; nobody's where the order cost nothing. Late money that its provider would not take back
/// comes first where exactly it
/// is asked for: it was never the order's.
fn source<'a>(
    detail: &'a OrderDetail,
    command: &OpenRefund<'_>,
) -> Result<(Option<&'a Attempt>, Money, Vec<TicketId>)> {
    let wish = &command.wish;
    let of = |state| detail.attempts.iter().filter(move |attempt| attempt.state == state);
    let late: Vec<PaymentId> = of(AttemptState::CapturedLate).map(|attempt| attempt.id).collect();
    let tries = detail.refunds.iter();
    let tries: Vec<LateTry> =
        tries.filter_map(|it| Some(LateTry { payment: it.payment?, state: it.state, amount: it.amount })).collect();
    let owed = still_owed(&late, &tries);
    if let (Some((payment, amount)), RefundRequest::Amount(wished)) = (owed, wish)
        && amount == *wished
        && let Some(attempt) = detail.attempts.iter().find(|attempt| attempt.id == payment)
    {
        return Ok((Some(attempt), amount, Vec::new()));
    }
    match (of(AttemptState::Captured).next(), owed) {
        (Some(captured), _) => {
            let RefundPlan { amount, tickets, .. } = plan(detail, command)?;
            Ok((Some(captured), amount, tickets))
        }
        (None, Some((_, amount))) => {
            let detail = format!("Money that came too late goes back whole: ask for {amount}.");
            Err(Refusal::new(Code::RefundTooLarge, detail).into())
        }
        (None, None) if detail.order.total.is_zero() => {
            let RefundPlan { amount, tickets, .. } = plan(detail, command)?;
            Ok((None, amount, tickets))
        }
        (None, None) => Err(Refusal::new(Code::WrongState, "Nothing was paid for this order.").into()),
    }
}

/// What the order's tickets and refunds allow; checked once more in the commit.
fn plan(detail: &OrderDetail, command: &OpenRefund<'_>) -> Result<RefundPlan> {
    let lines: Vec<LineAmounts> = detail.lines.iter().map(amounts).collect();
    let placement = TaxPlacement::of_order(&lines, detail.order.total.amount).map_err(Fault::internal)?;
    let tickets = detail.tickets.iter().map(|ticket| {
        let line = detail.lines.iter().find(|line| line.place == ticket.place);
        let line = line.ok_or_else(|| Fault::internal("a ticket without its order line"))?;
        Ok(TicketFacts { id: ticket.id, state: ticket.state, paid: amounts(line).paid(placement) })
    });
    let tickets = tickets.collect::<Result<Vec<_>>>()?;
    let captured = detail.attempts.iter().filter(|attempt| attempt.state == AttemptState::Captured);
    let captured: Vec<PaymentId> = captured.map(|attempt| attempt.id).collect();
    let counts = |refund: &&Refund| {
        refund.state != RefundState::Failed && refund.payment.is_some_and(|payment| captured.contains(&payment))
    };
    let returned = detail.refunds.iter().filter(counts).map(|refund| refund.amount.amount).sum();
    let facts = RefundFacts { state: detail.order.state, total: detail.order.total, returned, tickets: &tickets };
    Ok(plan_refund(&facts, &command.wish, command.revoke, command.forced)?)
}

const fn amounts(line: &OrderLine) -> LineAmounts {
    LineAmounts { price: line.price, fee: line.fee, tax: line.tax }
}

/// The job that carries a refund out.
///
/// # Errors
/// [`Fault::Internal`] where its payload cannot be written as JSON.
pub fn refund_job(platform: &Platform, organization: OrganizationId, refund: RefundId) -> Result<NewJob> {
    Ok(NewJob {
        id: fresh(&*platform.environment),
        organization: Some(organization),
        kind: CARRY_OUT_REFUND,
        queue: Queue::Payments,
        payload: serde_json::to_value(CarryOutRefund { refund }).map_err(Fault::internal)?,
        run_at: platform.environment.now(),
        unique_key: Some(format!("{CARRY_OUT_REFUND}:{refund}")),
        max_attempts: MOST_ATTEMPTS,
    })
}
