//! What happened, as the rest of the platform hears of it.
//!
//! Stored as JSON with a version; readers must accept every version that is still in the outbox. To add a fact: a variant here and a reader in `outbox::relay`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{EventId, HoldId, OrderId, OrganizationId, TicketId};
use voelgoed_domain::ticketing::place::PlaceEffect;
use voelgoed_domain::time::Timestamp;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// Places changed in cold; the warm tier must follow.
    PlacesChanged {
        /// Whose places.
        event: EventId,
        /// Where an order claimed them out of a hold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claimed_by: Option<(HoldId, OrderId)>,
        /// The new states and versions.
        effects: Vec<PlaceEffect>,
    },
    /// An order, one of its attempts, refunds or tickets changed.
    OrderChanged {
        /// The event.
        event: EventId,
        /// The order.
        order: OrderId,
        /// Its state now.
        state: OrderState,
    },
    /// A ticket has admitted; the gate's filter must know.
    TicketAdmitted {
        /// The event.
        event: EventId,
        /// The ticket.
        ticket: TicketId,
    },
    /// Tickets no longer admit.
    TicketsRevoked {
        /// The event.
        event: EventId,
        /// The tickets.
        tickets: Vec<TicketId>,
    },
    /// An event's listing (its own fields, prices, blocks) changed; caches must drop it.
    ListingChanged {
        /// The event.
        event: EventId,
    },
}

/// A fact with its address, as the outbox keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    /// Its identifier.
    pub id: Uuid,
    /// The tenant.
    pub organization: OrganizationId,
    /// What it is about: order of delivery holds within one aggregate.
    pub aggregate: Uuid,
    /// The aggregate's version at that commit.
    pub version: u32,
    /// What happened.
    pub fact: Fact,
    /// When it was committed.
    pub at: Timestamp,
}
