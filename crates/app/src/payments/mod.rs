//! Payments: sends, polls and settles payment attempts, and opens and executes refunds (P2, P5).

pub mod apply_observation;
pub mod execute_refund;
pub mod expire_orders;
pub mod handle_callback;
pub mod open_refund;
pub mod order_ports;
pub mod pay_again;
pub mod ports;
mod ports_of_other_slices;
pub mod provider_messages;
pub mod records;
pub mod resolve_attempts;
pub mod retry_or_settle_refund;
pub mod send_attempt;
pub mod send_queue;
pub mod settle_unmatched_capture;
pub mod slice;

use std::sync::Arc;

use order_ports::{OrderUpdates, PayableOrders};
use ports::{GateFilterIntents, PaymentGateway, PaymentStore, SoldPlaces};
use send_queue::SendQueue;
use voelgoed_domain::refusal::Refusal;

use crate::catalog::listings::Listings;
use crate::context::Context;
use crate::error::CommandResult;
use crate::replays::Replays;

/// Charges orders and refunds money.
#[derive(Clone)]
pub struct Payments {
    /// The context that all slices share.
    pub context: Context,
    /// Payment attempts and refunds in the cold tier.
    pub store: Arc<dyn PaymentStore>,
    /// The payment providers; the first is the default.
    pub gateways: Vec<Arc<dyn PaymentGateway>>,
    /// New attempts that wait to be sent.
    pub send_queue: Arc<SendQueue>,
    /// Orders in the cold tier.
    pub orders: Arc<dyn PayableOrders>,
    /// Drops cached views of orders that changed.
    pub updates: Arc<dyn OrderUpdates>,
    /// Listings, cached on this node.
    pub listings: Arc<dyn Listings>,
    /// The places of orders in the warm tier.
    pub places: Arc<dyn SoldPlaces>,
    /// The gate's filter, which must refuse revoked tickets.
    pub gate_filter: Arc<dyn GateFilterIntents>,
    /// Stored answers of creating requests.
    pub replays: Replays,
}

impl Payments {
    /// The provider of this name.
    ///
    /// # Errors
    /// `invalid_request` if there is none.
    pub fn gateway(&self, name: &str) -> CommandResult<&Arc<dyn PaymentGateway>> {
        self.gateways.iter().find(|gateway| gateway.name() == name).ok_or_else(|| {
            let known: Vec<_> = self.gateways.iter().map(|gateway| gateway.name()).collect();
            Refusal::invalid("payment.provider", format!("Known providers: {}.", known.join(", "))).into()
        })
    }
}
