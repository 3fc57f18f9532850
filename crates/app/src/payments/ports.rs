//! Declares the payment gateway, the store of attempts and refunds, and the ports of ticketing and scanning that payments calls.
//!
//! Never: a guess by a gateway; a result that it cannot know is [`Observation::NoAnswer`].

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_domain::ids::{HoldId, OrderId, OrganizationId, PaymentId, RefundId, TicketId};
use voelgoed_domain::payments::decide::{Cancellation, Observation, PaymentDecision};
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::hold::HoldRequest;
use voelgoed_domain::time::Timestamp;

pub use super::provider_messages::{
    Callback, CallbackRejected, Charge, PaymentChoice, ProviderKey, RefundCharge, RefundObservation,
};
pub use super::records::{Attempt, NewAttempt, NewRefund, PaymentObservation, Refund, SendLease, UnresolvedPayments};
use crate::error::{CommandResult, StoreResult};
use crate::idempotency::{Created, IdempotencyRecord};
use crate::jobs::ports::NewJob;
use crate::page::{Page, PageRequest};
use crate::ticketing::ports::{EventScope, GateFilter};

/// A payment provider.
#[async_trait]
pub trait PaymentGateway: Send + Sync + 'static {
    /// The provider's name in requests and URLs.
    fn name(&self) -> &'static str;
    /// False until the provider's address is known; nothing is sent before that, and no attempt fails.
    fn has_endpoint(&self) -> bool {
        true
    }
    /// True if the provider has this method.
    fn has_method(&self, method: &str) -> bool;
    /// How a charge by this method can be cancelled before its capture; stored with the attempt.
    fn cancellation(&self, method: &str) -> Cancellation;
    /// Requests a charge; idempotent by its key.
    async fn charge(&self, charge: &Charge) -> Observation;
    /// Reads the state of a charge. [`Observation::Absent`]: unknown at the provider and not barred; [`Observation::NoAnswer`]: no connection.
    async fn poll(&self, key: ProviderKey) -> Observation;
    /// Cancels a charge before its capture. An unknown key is barred at the provider for ever and returns [`Observation::Voided`].
    async fn cancel(&self, key: ProviderKey) -> Observation;
    /// Requests a refund; idempotent by its identifier.
    async fn refund(&self, refund: &RefundCharge) -> RefundObservation;
    /// Reads the state of a refund.
    async fn poll_refund(&self, refund: RefundId) -> RefundObservation;
    /// Verifies the signature and time of a callback.
    ///
    /// # Errors
    /// [`CallbackRejected`] with the reason.
    fn verify_callback(
        &self,
        headers: &[(String, String)],
        body: &[u8],
        now: Timestamp,
    ) -> Result<Callback, CallbackRejected>;
}

/// Attempts and refunds in the cold tier.
#[async_trait]
pub trait PaymentStore: Send + Sync + 'static {
    /// Writes another attempt of an unpaid order. Refused: `payment_unresolved`, `not_payable`, `not_found`.
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

    /// Leases the sending of an attempt; none if it is no longer `created`, is leased to another node, or `send_before` has passed.
    async fn lease_send(
        &self,
        organization: OrganizationId,
        payment: PaymentId,
        lease: SendLease,
        now: Timestamp,
    ) -> StoreResult<Option<Attempt>>;

    /// Commits the consequences of an observation by `domain::payments::decide`: state, tickets, places, ledger, outbox. Locks the order's row first.
    async fn apply_observation(
        &self,
        organization: OrganizationId,
        observation: PaymentObservation,
    ) -> StoreResult<PaymentDecision>;

    /// At most `limit` unresolved attempts of all organizations that were last polled before `before`, oldest first; marks them as polled at `now` (system
    /// role).
    async fn take_unresolved(&self, before: Timestamp, now: Timestamp, limit: u32) -> StoreResult<Vec<Attempt>>;

    /// The number and age of unresolved attempts of all organizations (system role).
    async fn unresolved(&self) -> StoreResult<UnresolvedPayments>;

    /// Writes a refund and marks its tickets `revoking`. The refund of an unmatched capture has no tickets and the whole captured amount, in
    /// any state of the order; a second one for it is refused. A refund without an attempt needs a free order. Refused: `refund_too_large`,
    /// `ticket_used`, `wrong_state`, `not_found`.
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

    /// Sets a refused refund to `pending` again and writes its job. Refused: `not_found`, `wrong_state`, `refund_too_large`.
    async fn retry_refund(
        &self,
        organization: OrganizationId,
        refund: RefundId,
        job: NewJob,
    ) -> StoreResult<Result<Refund, Refusal>>;

    /// Sets a refused refund to `done`, with the journal entry and the order's new state, after the money was returned outside of the platform. Of a
    /// concurrent settlement and retry one is refused. Refused: `not_found`, `wrong_state`, `refund_too_large`.
    async fn settle_refund(
        &self,
        organization: OrganizationId,
        refund: RefundId,
        reference: &str,
        now: Timestamp,
    ) -> StoreResult<Result<Refund, Refusal>>;

    /// The refunds of an organization in a state, or in any state if none is given, oldest first.
    async fn refunds(
        &self,
        organization: OrganizationId,
        state: Option<RefundState>,
        page: PageRequest,
    ) -> StoreResult<Page<Refund>>;

    /// The orders among `orders` that have a refused refund.
    async fn orders_with_refused_refunds(
        &self,
        organization: OrganizationId,
        orders: &[OrderId],
    ) -> StoreResult<Vec<OrderId>>;

    /// Revokes the refund's tickets in cold after warm has revoked them, frees their places, and writes the outbox row. Idempotent.
    async fn finish_revocation(
        &self,
        organization: OrganizationId,
        refund: RefundId,
        now: Timestamp,
    ) -> StoreResult<()>;

    /// Records the provider's state of a refund; `Done` writes the reversing journal entry and the order's new state. Idempotent.
    async fn record_refund(
        &self,
        organization: OrganizationId,
        refund: RefundId,
        seen: RefundObservation,
        now: Timestamp,
    ) -> StoreResult<RefundState>;

    /// Settles an unmatched capture by selling the places again: the order becomes `paid` with tickets. False if a place is no longer free in cold.
    async fn reissue(&self, organization: OrganizationId, payment: PaymentId, now: Timestamp) -> StoreResult<bool>;
}

/// The places of orders in the warm tier; ticketing implements it.
#[async_trait]
pub trait SoldPlaces: Send + Sync + 'static {
    /// Takes the places of an unmatched capture by an ordinary hold.
    async fn hold_again(&self, scope: EventScope, request: HoldRequest) -> CommandResult<()>;
    /// Frees an active hold.
    async fn release(&self, scope: EventScope, hold: HoldId) -> CommandResult<()>;
    /// Marks tickets as revoked in the gate's filter.
    async fn mark_revoked(&self, scope: EventScope, tickets: &[TicketId]) -> CommandResult<()>;
}

/// Writes intents of acts that revoke tickets to the gate's filter and resolves them; scanning implements it.
#[async_trait]
pub trait GateFilterIntents: Send + Sync + 'static {
    /// Writes the intent of `act` to revoke `tickets` to warm; false if warm did not answer in time.
    async fn begin_intent(&self, scope: EventScope, act: Uuid, tickets: &[TicketId]) -> bool;
    /// Resolves the intent of an act in warm, now or later; `begun` is the result of [`Self::begin_intent`].
    async fn resolve_intent(&self, scope: EventScope, act: Uuid, tickets: &[TicketId], became: GateFilter, begun: bool);
}
