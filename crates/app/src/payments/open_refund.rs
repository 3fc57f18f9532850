//! Opens a refund of tickets or of an amount: plans it, writes it, and leaves the execution to a job (P5, P6).
//!
//! Tickets stop admitting before their places are free, and the provider is called last.

use voelgoed_domain::checkout::amount_parts::{LineAmounts, TaxPlacement};
use voelgoed_domain::ids::{OrderId, OrganizationId, PaymentId, RefundId, TicketId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::payments::refund_plan::{RefundInputs, RefundPlan, RefundSelection, TicketInputs, plan_refund};
use voelgoed_domain::payments::unmatched_capture::{UnmatchedRefund, unmatched_refund_owed};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::text::multi_line;
use voelgoed_resilience::{Capability, Degradation};

use super::Payments;
use super::execute_refund::{EXECUTE_REFUND, ExecuteRefund};
use super::ports::{Attempt, NewRefund, Refund};
use crate::checkout::ports::{OrderDetail, OrderLine};
use crate::error::{CommandResult, Fault};
use crate::idempotency::{Created, IdempotencyRecord, Idempotent};
use crate::jobs::ports::{NewJob, Queue};
use crate::ticketing::ports::{EventScope, GateFilter};

/// The limit of a reason.
pub const REASON_CHARS_MAX: usize = 200;
/// Attempts of a refund's job before it is dead.
const REFUND_ATTEMPTS_MAX: u32 = 50;

/// A refund to open.
pub struct OpenRefund<'a> {
    /// The order.
    pub order: OrderId,
    /// The tickets or the amount to refund.
    pub selection: RefundSelection,
    /// Whether tickets are revoked. Default: named tickets, and the unused tickets of an amount that is all that is left.
    pub revoke: Option<bool>,
    /// The reason, for people.
    pub reason: String,
    /// True if also tickets that have admitted may be refunded.
    pub forced: bool,
    /// The acting key or member.
    pub actor: String,
    /// The request's idempotency key.
    pub idempotent: Idempotent<'a, Refund>,
}

impl Payments {
    /// Writes the refund with its job.
    ///
    /// # Errors
    /// `refund_too_large`, `ticket_used`, `wrong_state`, `not_found`, `invalid_request`.
    pub async fn open_refund(
        &self,
        organization: OrganizationId,
        command: OpenRefund<'_>,
    ) -> CommandResult<Created<Refund>> {
        match self.plan_and_write(organization, &command).await {
            Err(refused) => self.replays.replay_or(organization, &command.idempotent.key, refused).await,
            opened => opened,
        }
    }

    async fn plan_and_write(
        &self,
        organization: OrganizationId,
        command: &OpenRefund<'_>,
    ) -> CommandResult<Created<Refund>> {
        self.context.require(Capability::IssueAndRefund)?;
        let reason = multi_line("reason", &command.reason, REASON_CHARS_MAX)?;
        if reason.is_empty() {
            return Err(
                Refusal::invalid("reason", format!("Give a reason of 1 to {REASON_CHARS_MAX} characters.")).into()
            );
        }
        let now = self.context.now();
        let key = &command.idempotent.key;
        if let Some(stored) = self.replays.find(organization, key).await? {
            return crate::idempotency::replay(stored, &key.request);
        }
        let detail = self.orders.read(organization, command.order).await?;
        let (captured, amount, tickets) = source(&detail, command)?;
        let id = self.context.new_id();
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
            selection: command.selection.clone(),
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
            job: self.refund_job(organization, id)?,
        };
        let record = command.idempotent.record(&refund, now)?;
        let created = self.write_refund(&refund, new, record).await?;
        Ok(created.map(|()| refund))
    }

    /// Writes the refund in cold between an intent and its resolution in warm, as a scan does. While warm is unavailable, the job and the outbox revoke the
    /// tickets in warm later.
    async fn write_refund(
        &self,
        refund: &Refund,
        new: NewRefund,
        record: IdempotencyRecord,
    ) -> CommandResult<Created<()>> {
        let scope = EventScope { organization: refund.organization, event: refund.event };
        let (act, tickets) = (refund.id.uuid(), refund.tickets.as_slice());
        let is_warm_up = self.context.require(Capability::IssueAndRefund)? != Some(Degradation::WarmFollows);
        let begun = is_warm_up && !tickets.is_empty() && self.gate_filter.begin_intent(scope, act, tickets).await;
        let written = self.store.open_refund(refund.organization, new, Some(record)).await;
        let became = match &written {
            Ok(Ok(Created::Fresh(()))) => Some(GateFilter::Revoked),
            Ok(Ok(Created::Replayed(_)) | Err(_)) | Err(Fault::Unavailable { .. }) => {
                begun.then_some(GateFilter::Unseen)
            }
            // The refund may be written, so the intent stays: warm alone does not admit these tickets.
            Err(Fault::Ambiguous { .. } | Fault::Internal(_)) => None,
        };
        if let Some(became) = became.filter(|_| !tickets.is_empty()) {
            self.gate_filter.resolve_intent(scope, act, tickets, became, begun).await;
        }
        Ok(written??)
    }

    /// The job that executes a refund.
    ///
    /// # Errors
    /// [`Fault::Internal`] if its payload cannot be written as JSON.
    pub fn refund_job(&self, organization: OrganizationId, refund: RefundId) -> CommandResult<NewJob> {
        Ok(NewJob {
            id: self.context.new_id(),
            organization: Some(organization),
            kind: EXECUTE_REFUND,
            queue: Queue::Payments,
            payload: serde_json::to_value(ExecuteRefund { refund }).map_err(Fault::internal)?,
            run_at: self.context.now(),
            unique_key: Some(format!("{EXECUTE_REFUND}:{refund}")),
            max_attempts: REFUND_ATTEMPTS_MAX,
        })
    }
}

/// The attempt whose money is refunded (none for a free order), the amount, and the tickets. An unmatched capture whose refund failed comes
/// first if exactly its amount is requested, because that money does not belong to the order.
fn source<'a>(
    detail: &'a OrderDetail,
    command: &OpenRefund<'_>,
) -> CommandResult<(Option<&'a Attempt>, Money, Vec<TicketId>)> {
    let selection = &command.selection;
    let of = |state| detail.attempts.iter().filter(move |attempt| attempt.state == state);
    let unmatched: Vec<PaymentId> = of(AttemptState::CapturedUnmatched).map(|attempt| attempt.id).collect();
    let refunds = detail.refunds.iter();
    let unmatched_refunds: Vec<UnmatchedRefund> = refunds
        .filter_map(|refund| {
            Some(UnmatchedRefund { payment: refund.payment?, state: refund.state, amount: refund.amount })
        })
        .collect();
    let owed = unmatched_refund_owed(&unmatched, &unmatched_refunds);
    if let (Some((payment, amount)), RefundSelection::Amount(requested)) = (owed, selection)
        && amount == *requested
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
            let detail = format!("A late payment is refunded as a whole; nothing was changed. Request {amount}.");
            Err(Refusal::new(Code::RefundTooLarge, detail).into())
        }
        (None, None) if detail.order.total.is_zero() => {
            let RefundPlan { amount, tickets, .. } = plan(detail, command)?;
            Ok((None, amount, tickets))
        }
        (None, None) => Err(Refusal::new(Code::WrongState, "Nothing was paid for this order.").into()),
    }
}

/// Plans the refund by the order's tickets and earlier refunds; the commit checks the plan again.
fn plan(detail: &OrderDetail, command: &OpenRefund<'_>) -> CommandResult<RefundPlan> {
    let lines: Vec<LineAmounts> = detail.lines.iter().map(amounts).collect();
    let placement = TaxPlacement::of_order(&lines, detail.order.total.amount).map_err(Fault::internal)?;
    let tickets = detail.tickets.iter().map(|ticket| {
        let line = detail.lines.iter().find(|line| line.place == ticket.place);
        let line = line.ok_or_else(|| Fault::internal("a ticket has no order line"))?;
        Ok(TicketInputs { id: ticket.id, state: ticket.state, paid: amounts(line).paid(placement) })
    });
    let tickets = tickets.collect::<CommandResult<Vec<_>>>()?;
    let captured = detail.attempts.iter().filter(|attempt| attempt.state == AttemptState::Captured);
    let captured: Vec<PaymentId> = captured.map(|attempt| attempt.id).collect();
    let counts = |refund: &&Refund| {
        refund.state != RefundState::Failed && refund.payment.is_some_and(|payment| captured.contains(&payment))
    };
    let returned = detail.refunds.iter().filter(counts).map(|refund| refund.amount.amount).sum();
    let inputs = RefundInputs { state: detail.order.state, total: detail.order.total, returned, tickets: &tickets };
    Ok(plan_refund(&inputs, &command.selection, command.revoke, command.forced)?)
}

const fn amounts(line: &OrderLine) -> LineAmounts {
    LineAmounts { price: line.price, fee: line.fee, tax: line.tax }
}
