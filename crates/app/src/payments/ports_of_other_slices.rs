//! Implements checkout's port [`OrderPayments`].

use async_trait::async_trait;
use voelgoed_domain::ids::{OrderId, OrganizationId, PaymentId};
use voelgoed_domain::payments::decide::Cancellation;

use super::Payments;
use super::ports::PaymentChoice;
use crate::checkout::ports::OrderPayments;
use crate::error::CommandResult;

#[async_trait]
impl OrderPayments for Payments {
    fn method(&self, choice: &PaymentChoice) -> CommandResult<Option<Cancellation>> {
        let gateway = self.gateway(&choice.provider)?;
        Ok(gateway.has_method(&choice.method).then(|| gateway.cancellation(&choice.method)))
    }

    fn dispatch(&self, organization: OrganizationId, payment: PaymentId) {
        self.send_queue.push(organization, payment);
    }

    async fn expire_order(&self, organization: OrganizationId, order: OrderId) -> CommandResult<()> {
        Self::expire_order(self, organization, order).await
    }
}
