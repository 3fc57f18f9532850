//! What payments need: a gateway per provider, and the attempts and refunds of the cold tier.
//!
//! A gateway never guesses: what it cannot know is [`Observation::NoAnswer`].

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_domain::ids::{EventId, OrderId, OrganizationId, PaymentId, RefundId, TicketId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Cancellation, Decision, Observation, PROVIDER_TEXT_MOST};
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::payments::refund_plan::RefundRequest;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::error::StoreResult;
use crate::idempotency::{Created, IdempotencyRecord};
use crate::jobs::ports::NewJob;
use crate::page::{Page, PageRequest};

/// The key under which a provider knows an attempt: organization, order and attempt, so that a callback can be routed before any store is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProviderKey {
    /// The tenant.
    pub organization: OrganizationId,
    /// The order.
    pub order: OrderId,
    /// The attempt.
    pub payment: PaymentId,
}

/// What is asked of a provider.
#[derive(Debug, Clone)]
pub struct Charge {
    /// The idempotency key at the provider.
    pub key: ProviderKey,
    /// How much.
    pub amount: Money,
    /// The buyer's choice among the provider's methods.
    pub method: String,
    /// The provider must refuse the charge after this moment.
    pub send_before: Timestamp,
    /// Until when the buyer may pay.
    pub pay_by: Timestamp,
}

/// What is asked back of a provider.
#[derive(Debug, Clone)]
pub struct RefundCharge {
    /// The idempotency key at the provider.
    pub refund: RefundId,
    /// The captured attempt.
    pub key: ProviderKey,
    /// How much.
    pub amount: Money,
}

/// What a provider says of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundObservation {
    /// Accepted and not finished.
    Pending,
    /// The money is on its way.
    Done {
        /// The provider's own reference.
        provider_ref: String,
    },
    /// Refused, with the provider's reason.
    Failed {
        /// For the organizer.
        reason: String,
    },
    /// Surely never arrived there.
    NotReached,
    /// Nobody knows.
    NoAnswer,
}

impl RefundObservation {
    /// The same with the provider's texts as they are stored; see [`Observation::cleaned`].
    #[must_use]
    pub fn cleaned(self) -> Self {
        let text = |text: String| voelgoed_domain::text::foreign(&text, PROVIDER_TEXT_MOST);
        match self {
            Self::Done { provider_ref } => Self::Done { provider_ref: text(provider_ref) },
            Self::Failed { reason } => Self::Failed { reason: text(reason) },
            other => other,
        }
    }
}

/// A callback that was verified.
#[derive(Debug, Clone)]
pub struct Callback {
    /// Of which attempt.
    pub key: ProviderKey,
    /// What it says.
    pub observation: Observation,
}

/// Why a callback was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackRejected {
    /// The signature does not fit.
    #[error("the signature does not fit")]
    Forged,
    /// Outside the time window.
    #[error("the callback is too old or from the future")]
    Stale,
    /// It cannot be read.
    #[error("the callback cannot be read")]
    Malformed,
    /// It is signed and can be read, and its key names no attempt of any shop of ours.
    #[error("the callback names no attempt of ours")]
    NotOurs,
}

/// A payment provider.
#[async_trait]
pub trait PaymentGateway: Send + Sync + 'static {
    /// The provider's name in requests and URLs.
    fn name(&self) -> &'static str;
    /// False while nobody has said where the provider is: nothing is sent until then, and nothing fails for it.
    fn is_found(&self) -> bool {
        true
    }
    /// True where the provider has this method.
    fn has_method(&self, method: &str) -> bool;
    /// Whether a charge by this method can be taken back before it is captured; stored with the attempt when it is made.
    fn cancellation(&self, method: &str) -> Cancellation;
    /// Asks for money; the same key again asks for nothing more.
    async fn charge(&self, charge: &Charge) -> Observation;
    /// Asks what became of a charge; unknown there (and not barred) is [`Observation::Absent`], no connection [`Observation::NoAnswer`].
    async fn poll(&self, key: ProviderKey) -> Observation;
    /// Takes a charge back before it is captured; an unknown key is barred there for ever, and answered [`Observation::Voided`].
    async fn cancel(&self, key: ProviderKey) -> Observation;
    /// Gives money back; the same refund again gives nothing more.
    async fn refund(&self, refund: &RefundCharge) -> RefundObservation;
    /// Asks what became of a refund.
    async fn poll_refund(&self, refund: RefundId) -> RefundObservation;
    /// Believes or rejects a callback.
    ///
    /// # Errors
    /// [`CallbackRejected`] says why it is not believed.
    fn verify_callback(
        &self,
        headers: &[(String, String)],
        body: &[u8],
        now: Timestamp,
    ) -> Result<Callback, CallbackRejected>;
}

/// A payment attempt as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its identifier.
    pub id: PaymentId,
    /// The tenant.
    pub organization: OrganizationId,
    /// The event of its order.
    pub event: EventId,
    /// Its order.
    pub order: OrderId,
    /// 1, 2, … within the order.
    pub number: u32,
    /// The provider's name.
    pub provider: String,
    /// The buyer's choice among its methods.
    pub method: String,
    /// Where it stands.
    pub state: AttemptState,
    /// How much.
    pub amount: Money,
    /// The provider's own reference, once known.
    pub provider_ref: Option<String>,
    /// Why it failed, once it has.
    pub reason: Option<String>,
    /// No call after this moment.
    pub send_before: Timestamp,
    /// When the order's places go.
    pub pay_by: Timestamp,
    /// What its provider can do about it.
    pub cancellation: Cancellation,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A new attempt to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttempt {
    /// Its identifier.
    pub id: PaymentId,
    /// The provider's name.
    pub provider: String,
    /// The buyer's choice among its methods.
    pub method: String,
    /// How much.
    pub amount: Money,
    /// No call after this moment.
    pub send_before: Timestamp,
    /// What its provider can do about it.
    pub cancellation: Cancellation,
}

/// The right to call the provider for an attempt, until a moment; a later holder fences an earlier one by its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendLease {
    /// The holder.
    pub token: Uuid,
    /// Until when.
    pub until: Timestamp,
}

/// Something learned about an attempt, with the identifiers that its consequences may need (`domain` mints none).
#[derive(Debug, Clone)]
pub struct Learned {
    /// The attempt.
    pub payment: PaymentId,
    /// What was seen.
    pub observation: Observation,
    /// The moment.
    pub at: Timestamp,
    /// The work to write where the capture came late; present whenever a capture was seen.
    pub late_capture_job: Option<NewJob>,
}

/// A refund as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its identifier.
    pub id: RefundId,
    /// The tenant.
    pub organization: OrganizationId,
    /// The event of its order.
    pub event: EventId,
    /// Its order.
    pub order: OrderId,
    /// The attempt whose money goes back; none for tickets of an order that cost nothing.
    pub payment: Option<PaymentId>,
    /// Its provider's name; empty where there is none.
    pub provider: String,
    /// How much.
    pub amount: Money,
    /// The tickets taken back with it.
    pub tickets: Vec<TicketId>,
    /// Why, for people.
    pub reason: String,
    /// Where it stands.
    pub state: RefundState,
    /// What the provider said where it refused.
    pub failure: Option<String>,
    /// True once its tickets are revoked everywhere and their places free.
    pub tickets_revoked: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A refund to write; its tickets become `revoking` in the same commit.
#[derive(Debug, Clone)]
pub struct NewRefund {
    /// What was asked for; the commit judges it once more.
    pub wish: RefundRequest,
    /// Whether tickets are to be taken back, where that was said.
    pub revoke: Option<bool>,
    /// Its identifier.
    pub id: RefundId,
    /// The order.
    pub order: OrderId,
    /// The attempt whose money goes back; none for tickets of an order that cost nothing.
    pub payment: Option<PaymentId>,
    /// How much.
    pub amount: Money,
    /// The tickets taken back with it.
    pub tickets: Vec<TicketId>,
    /// Why, for people.
    pub reason: String,
    /// True: also tickets that have admitted.
    pub forced: bool,
    /// Who asked.
    pub actor: String,
    /// The moment.
    pub at: Timestamp,
    /// The work that carries it out.
    pub job: NewJob,
}

/// Attempts and refunds in the cold tier.
#[async_trait]
pub trait PaymentStore: Send + Sync + 'static {
    /// Writes another attempt of an order that still waits for payment. Refused: `payment_unresolved`, `not_payable`, `not_found`.
    async fn open_attempt(
        &self,
        organization: OrganizationId,
        order: OrderId,
        attempt: NewAttempt,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;

    /// One attempt.
    async fn read_attempt(&self, organization: OrganizationId, payment: PaymentId) -> StoreResult<Option<Attempt>>;

    /// An order's attempts, oldest first.
    async fn attempts_of(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Vec<Attempt>>;

    /// Takes the right to call the provider: none where the attempt is no longer `created`, is leased to another, or `send_before` has passed.
    async fn lease_send(
        &self,
        organization: OrganizationId,
        payment: PaymentId,
        lease: SendLease,
        now: Timestamp,
    ) -> StoreResult<Option<Attempt>>;

    /// Lets `domain::payments::decide` judge what was learned and commits its consequences: state, tickets, places, ledger, outbox. The order row is locked first.
    async fn learn(&self, organization: OrganizationId, learned: Learned) -> StoreResult<Decision>;

    /// Attempts of all organizations that are not settled and were last asked about before `before`, oldest first, at most `most` (system role); marks them as asked at `now`.
    async fn take_unresolved(&self, before: Timestamp, now: Timestamp, most: u32) -> StoreResult<Vec<Attempt>>;

    /// How many attempts of all organizations are not settled, and since when (system role).
    async fn unresolved(&self) -> StoreResult<UnresolvedPayments>;

    /// Writes a refund and marks its tickets `revoking`. For an attempt that was captured late, `tickets` is empty and the whole captured amount goes back,
    /// whatever the order's state; a second one for it is refused. Without an attempt the order must have cost nothing. Refused: `refund_too_large`, `ticket_used`, `wrong_state`, `not_found`.
    async fn open_refund(
        &self,
        organization: OrganizationId,
        refund: NewRefund,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;

    /// One refund.
    async fn read_refund(&self, organization: OrganizationId, refund: RefundId) -> StoreResult<Option<Refund>>;

    /// An order's refunds, oldest first.
    async fn refunds_of(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Vec<Refund>>;

    /// A refund that was refused is `pending` again, with the work that asks for it. Refused: `not_found`, `wrong_state`, `refund_too_large`.
    async fn retry_refund(
        &self,
        organization: OrganizationId,
        refund: RefundId,
        job: NewJob,
    ) -> StoreResult<Result<Refund, Refusal>>;

    /// A refused refund whose money went back without us is `done`, with the journal entry and the order's new state. Of a settlement and a retry at the
    /// same time one is refused. Refused: `not_found`, `wrong_state`, `refund_too_large`.
    async fn settle_refund(
        &self,
        organization: OrganizationId,
        refund: RefundId,
        reference: &str,
        now: Timestamp,
    ) -> StoreResult<Result<Refund, Refusal>>;

    /// The refunds of an organization in a state (in any, where none is named), oldest first.
    async fn refunds(
        &self,
        organization: OrganizationId,
        state: Option<RefundState>,
        page: PageRequest,
    ) -> StoreResult<Page<Refund>>;

    /// Which of these orders have a refund that was refused.
    async fn orders_with_refused_refunds(
        &self,
        organization: OrganizationId,
        orders: &[OrderId],
    ) -> StoreResult<Vec<OrderId>>;

    /// The refund's tickets are revoked in the warm tier: revoke them here, free their places, write the outbox row. Idempotent.
    async fn finish_revocation(
        &self,
        organization: OrganizationId,
        refund: RefundId,
        now: Timestamp,
    ) -> StoreResult<()>;

    /// Writes what the provider said of a refund; `Done` writes the reversing journal entry and the order's new state. Idempotent.
    async fn record_refund(
        &self,
        organization: OrganizationId,
        refund: RefundId,
        seen: RefundObservation,
        now: Timestamp,
    ) -> StoreResult<RefundState>;

    /// Settles a late capture by selling the places anew, if all of them are still free in cold: the order becomes `paid` with tickets. False where they are not.
    async fn reissue(&self, organization: OrganizationId, payment: PaymentId, now: Timestamp) -> StoreResult<bool>;
}

/// Counts for alarms and gauges (system role).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnresolvedPayments {
    /// How many attempts nobody knows the end of.
    pub count: u64,
    /// When the oldest of them was made, if there is one.
    pub oldest: Option<Timestamp>,
}
