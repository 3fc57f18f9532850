//! What happened, as the rest of the platform hears of it.
//!
//! Stored as JSON with a version; readers must accept every version that is still in the outbox. To add a fact: a variant here with the next number in
//! [`OutboxEvent::format`], and a reader in `outbox::consumers`. Nodes that read lower formats leave such rows alone (ADR 0017).

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{EventId, HoldId, OrderId, OrganizationId, TicketId};
use voelgoed_domain::ticketing::place::PlaceEffect;
use voelgoed_domain::time::Timestamp;

use crate::accounts::credentials::RevokedCredential;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum OutboxEvent {
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
    /// A credential was revoked; nodes that know it must refuse it.
    CredentialRevoked {
        /// Which.
        revoked: RevokedCredential,
    },
    /// An event's listing (its own fields, prices, blocks) changed; caches must drop it.
    ListingChanged {
        /// The event.
        event: EventId,
    },
}

/// The highest format of outbox rows that this program reads.
pub const OUTBOX_FORMAT_MAX: u32 = 2;

impl OutboxEvent {
    /// The format that a reader of this fact must know. Format 1 is what programs read that know no other.
    #[must_use]
    pub const fn format(&self) -> u32 {
        match self {
            Self::PlacesChanged { .. }
            | Self::OrderChanged { .. }
            | Self::TicketAdmitted { .. }
            | Self::TicketsRevoked { .. }
            | Self::ListingChanged { .. } => 1,
            Self::CredentialRevoked { .. } => 2,
        }
    }
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
    pub fact: OutboxEvent,
    /// When it was committed.
    pub at: Timestamp,
}

/// An undelivered row that this program cannot read; later rows of its aggregate wait behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    /// Its identifier.
    pub id: Uuid,
    /// The tenant.
    pub organization: OrganizationId,
    /// What it is about.
    pub aggregate: Uuid,
    /// When it was committed.
    pub at: Timestamp,
    /// Why it cannot be read.
    pub reason: String,
    /// True where its format is known and its body is not as it should be; false where a newer program reads it.
    pub is_malformed: bool,
}

/// What a take of the outbox brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TakenRows {
    /// Leased rows, in the order of each aggregate's versions.
    pub rows: Vec<OutboxRow>,
    /// Rows whose body could not be decoded: each is parked with backoff, and so is its aggregate.
    pub parked: Vec<UnreadableRow>,
}
