//! Implements the payment store: attempts, observations of providers, refunds and reissued orders.
//!
//! Every operation locks the order row first.
//! Never: a state that `domain::payments` did not decide; money without its journal entry in the same commit (P2, P5).
//! To add an operation: its file here, and its line in the port below.

pub(crate) mod attempts;
mod journal;
pub(crate) mod lease_send;
mod open_attempt;
mod open_refund;
pub(crate) mod payment_updates;
mod record_refund;
pub(crate) mod refunds;
mod refused_refund;
mod reissue;
mod retry_refund;
mod revocation;
mod settle_refund;
mod unresolved;

use async_trait::async_trait;
use voelgoed_app::error::StoreResult;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::jobs::ports::NewJob;
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_app::payments::ports::{
    Attempt, NewAttempt, NewRefund, PaymentObservation, PaymentStore, Refund, RefundObservation, SendLease,
    UnresolvedPayments,
};
use voelgoed_domain::ids::{OrderId, OrganizationId, PaymentId, RefundId};
use voelgoed_domain::payments::decide::PaymentDecision;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::Cold;

#[async_trait]
impl PaymentStore for Cold {
    async fn open_attempt(
        &self,
        organization: OrganizationId,
        order: OrderId,
        attempt: NewAttempt,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        Ok(open_attempt::open_attempt(self, organization, order, attempt, idempotency).await?)
    }

    async fn read_attempt(&self, organization: OrganizationId, payment: PaymentId) -> StoreResult<Option<Attempt>> {
        Ok(attempts::read(&self.sale, organization, payment).await?)
    }

    async fn attempts_of(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Vec<Attempt>> {
        let mut snapshot = self.sale.snapshot(organization).await?;
        Ok(attempts::of_order(&mut snapshot, organization, order).await?)
    }

    async fn lease_send(
        &self,
        organization: OrganizationId,
        payment: PaymentId,
        lease: SendLease,
        now: Timestamp,
    ) -> StoreResult<Option<Attempt>> {
        lease_send::lease_send(self, organization, payment, lease, now).await
    }

    async fn apply_observation(
        &self,
        organization: OrganizationId,
        observed: PaymentObservation,
    ) -> StoreResult<PaymentDecision> {
        payment_updates::apply_observation(self, organization, observed).await
    }

    async fn take_unresolved(&self, before: Timestamp, now: Timestamp, limit: u32) -> StoreResult<Vec<Attempt>> {
        Ok(unresolved::take(&self.sale, before, now, limit).await?)
    }

    async fn unresolved(&self) -> StoreResult<UnresolvedPayments> {
        Ok(unresolved::count(&self.sale).await?)
    }

    async fn open_refund(
        &self,
        organization: OrganizationId,
        refund: NewRefund,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        Ok(open_refund::open_refund(self, organization, refund, idempotency).await?)
    }

    async fn read_refund(&self, organization: OrganizationId, refund: RefundId) -> StoreResult<Option<Refund>> {
        let mut snapshot = self.sale.snapshot(organization).await?;
        Ok(refunds::read(&mut snapshot, organization, refund).await?)
    }

    async fn refunds_of(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Vec<Refund>> {
        let mut snapshot = self.sale.snapshot(organization).await?;
        Ok(refunds::of_order(&mut snapshot, organization, order).await?)
    }

    async fn retry_refund(
        &self,
        organization: OrganizationId,
        refund: RefundId,
        job: NewJob,
    ) -> StoreResult<Result<Refund, Refusal>> {
        Ok(retry_refund::retry(self, organization, refund, &job).await?)
    }

    async fn settle_refund(
        &self,
        organization: OrganizationId,
        refund: RefundId,
        reference: &str,
        now: Timestamp,
    ) -> StoreResult<Result<Refund, Refusal>> {
        Ok(settle_refund::settle(self, organization, refund, reference, now).await?)
    }

    async fn refunds(
        &self,
        organization: OrganizationId,
        state: Option<RefundState>,
        page: PageRequest,
    ) -> StoreResult<Page<Refund>> {
        Ok(refunds::list(&self.reports, organization, state, page).await?)
    }

    async fn orders_with_refused_refunds(
        &self,
        organization: OrganizationId,
        orders: &[OrderId],
    ) -> StoreResult<Vec<OrderId>> {
        Ok(refunds::refused_of(&self.reports, organization, orders).await?)
    }

    async fn finish_revocation(
        &self,
        organization: OrganizationId,
        refund: RefundId,
        now: Timestamp,
    ) -> StoreResult<()> {
        Ok(revocation::finish(self, organization, refund, now).await?)
    }

    async fn record_refund(
        &self,
        organization: OrganizationId,
        refund: RefundId,
        seen: RefundObservation,
        now: Timestamp,
    ) -> StoreResult<RefundState> {
        Ok(record_refund::record(self, organization, refund, seen, now).await?)
    }

    async fn reissue(&self, organization: OrganizationId, payment: PaymentId, now: Timestamp) -> StoreResult<bool> {
        Ok(reissue::reissue(self, organization, payment, now).await?)
    }
}
