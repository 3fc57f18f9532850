//! Defines the outbox events: committed changes that caches, gates, watchers and the warm tier follow.
//!
//! Stored as JSON with a format number; consumers accept every format that may still be in the outbox. To add an event: a variant of [`OutboxEvent`] with
//! the next number in [`OutboxEvent::format`], and a consumer. Nodes that read lower formats leave such rows in the outbox (ADR 0017).

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{EventId, HoldId, OrderId, OrganizationId, TicketId};
use voelgoed_domain::ticketing::place::PlaceEffect;
use voelgoed_domain::time::Timestamp;

use crate::accounts::credentials::RevokedCredential;

/// A committed change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum OutboxEvent {
    /// Places changed in cold; the warm tier applies the effects.
    PlacesChanged {
        /// The event of the places.
        event: EventId,
        /// The hold and the order, if an order claimed the places.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claimed_by: Option<(HoldId, OrderId)>,
        /// The new states and versions of the places.
        effects: Vec<PlaceEffect>,
    },
    /// An order, one of its attempts, refunds or tickets changed.
    OrderChanged {
        /// The event.
        event: EventId,
        /// The order.
        order: OrderId,
        /// The order's new state.
        state: OrderState,
    },
    /// A ticket has admitted; the gate's filter refuses it from now on.
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
    /// A credential was revoked; nodes that cached it must refuse it.
    CredentialRevoked {
        /// The credential.
        revoked: RevokedCredential,
    },
    /// An event's listing (its own fields, prices, blocks) changed; caches must read it again.
    ListingChanged {
        /// The event.
        event: EventId,
    },
}

/// The highest format that this program reads.
pub const OUTBOX_FORMAT_MAX: u32 = 2;

impl OutboxEvent {
    /// The format that a consumer must support to read this event. Programs that are older than formats can read format 1 only.
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

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    /// The row's identifier.
    pub id: Uuid,
    /// The organization.
    pub organization: OrganizationId,
    /// The changed aggregate; rows of one aggregate are delivered in order.
    pub aggregate: Uuid,
    /// The aggregate's version after the commit.
    pub version: u32,
    /// The committed change.
    pub outbox_event: OutboxEvent,
    /// The time of the commit.
    pub at: Timestamp,
}

/// An undelivered row that this program cannot read; later rows of its aggregate wait behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    /// The row's identifier.
    pub id: Uuid,
    /// The organization.
    pub organization: OrganizationId,
    /// The changed aggregate.
    pub aggregate: Uuid,
    /// The time of the commit.
    pub at: Timestamp,
    /// Why this program cannot read it.
    pub reason: String,
    /// True if the format is known and the body is invalid; false if a newer program can read the row.
    pub is_malformed: bool,
}

/// The rows that one call of [`OutboxStore::take`](super::ports::OutboxStore::take) leased.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TakenRows {
    /// Leased rows, in the order of each aggregate's versions.
    pub rows: Vec<OutboxRow>,
    /// Rows whose body could not be decoded; each is parked with backoff, and so is its aggregate.
    pub parked: Vec<UnreadableRow>,
}
