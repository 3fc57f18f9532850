//! Declares the warm inventory of an event, the places in cold, and the ports of other slices that ticketing calls.
//!
//! Every method names the organization first (P7). Never: an [`InventoryError::Unloaded`] acknowledged as done; the caller loads the event and repeats.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast;
use uuid::Uuid;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{EventId, HoldId, OrderId, OrganizationId, SessionId, TicketId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
pub use voelgoed_domain::ticketing::inventory::{
    AreaCounts, AreaSpan, CatchUp, GateFilter, Install, InventoryChange, InventorySnapshot,
};
use voelgoed_domain::ticketing::place::{Epoch, PlaceEffect, Position};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use crate::analytics::sale_step::SaleStep;
use crate::error::{CommandResult, Fault, StoreResult};
use crate::idempotency::{Created, IdempotencyRecord};

/// An event of an organization; every warm key, topic and cache key begins with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventScope {
    /// The organization.
    pub organization: OrganizationId,
    /// The event.
    pub event: EventId,
}

/// The error of a call to the warm inventory.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InventoryError {
    /// The warm tier has no valid copy of this event: load it from cold, then repeat.
    #[error("the warm tier has not loaded this event")]
    Unloaded,
    /// An expected refusal: `place_taken`, `sold_out`, `limit_reached`, `hold_expired`, `hold_lost`, `not_found`, `already_ordered`.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The warm tier failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The result of a call to the warm inventory.
pub type InventoryResult<T> = Result<T, InventoryError>;

/// A signal that an event's log has grown or that the event was loaded again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InventorySignal {
    /// The event.
    pub scope: EventScope,
    /// The newest position of the log.
    pub position: Position,
}

/// The result of a lease of an event's rebuild.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebuildLease {
    /// The caller has the lease.
    Granted,
    /// Another node has the lease.
    Taken {
        /// The time until the lease ends at the latest.
        free_in: Duration,
    },
}

/// The warm inventory: it decides holds, and filters sales that cold decides. Every method is one atomic step by the store's own clock.
#[async_trait]
pub trait InventoryStore: Send + Sync + 'static {
    /// Leases the rebuild of an event to the first caller for `duration`; a repeat with the same token sets the duration again, and zero ends the lease.
    async fn lease_rebuild(&self, scope: EventScope, lease: Uuid, duration: Duration) -> StoreResult<RebuildLease>;

    /// Replaces the event's state by the state of cold, keeps holds that do not conflict with it, and ends the lease. [`InventoryError::Unloaded`] if the
    /// epoch is not higher than the installed one, or the lease is not held.
    async fn install(&self, scope: EventScope, lease: Uuid, install: Install) -> InventoryResult<Position>;

    /// Grants all picks or none. A repeat with the same hold id returns the same hold.
    async fn hold(&self, scope: EventScope, request: HoldRequest) -> InventoryResult<HoldRecord>;

    /// Replaces an active hold's places, all or nothing: keeps common places, takes the new ones, frees the rest. `expires_at` stays.
    async fn change_hold(&self, scope: EventScope, request: HoldRequest) -> InventoryResult<HoldRecord>;

    /// The hold, if it has not ended.
    async fn read_hold(&self, scope: EventScope, hold: HoldId) -> InventoryResult<HoldRecord>;

    /// Frees an active hold; does nothing if it has ended. A pinned or claimed hold is refused as `already_ordered`.
    async fn release(&self, scope: EventScope, hold: HoldId) -> InventoryResult<()>;

    /// Keeps an active hold from expiring while its order is written. Idempotent; the pin expires after 60 s. `expires_at` stays.
    async fn pin(&self, scope: EventScope, hold: HoldId) -> InventoryResult<HoldRecord>;

    /// Removes a pin, because the order was not written.
    async fn unpin(&self, scope: EventScope, hold: HoldId) -> InventoryResult<()>;

    /// Applies decisions of cold, each only above its place's version. `claimed_by`: the order's places no longer expire with the hold.
    async fn apply(
        &self,
        scope: EventScope,
        claimed_by: Option<(HoldId, OrderId)>,
        effects: &[PlaceEffect],
    ) -> InventoryResult<Position>;

    /// The whole state at one position.
    async fn snapshot(&self, scope: EventScope) -> InventoryResult<InventorySnapshot>;

    /// The changes after `since`.
    async fn changes_since(&self, scope: EventScope, since: Position) -> InventoryResult<CatchUp>;

    /// Signals of all events; a lagging subscriber reads the events again.
    fn subscribe(&self) -> broadcast::Receiver<InventorySignal>;

    /// Frees at most `limit` expired holds of each event and returns their number.
    async fn sweep(&self, limit: usize) -> StoreResult<usize>;

    /// The state of a ticket in the gate's filter.
    async fn gate_filter(&self, scope: EventScope, ticket: TicketId) -> InventoryResult<GateFilter>;

    /// Marks a ticket that cold has admitted in the gate's filter.
    async fn mark_admitted(&self, scope: EventScope, ticket: TicketId) -> InventoryResult<()>;

    /// Marks tickets as revoked in the gate's filter.
    async fn mark_revoked(&self, scope: EventScope, tickets: &[TicketId]) -> InventoryResult<()>;

    /// The loaded events, for gauges and sweeps.
    async fn loaded_events(&self) -> StoreResult<Vec<EventScope>>;

    /// The number of places that a session holds.
    async fn held_by(&self, scope: EventScope, session: SessionId) -> InventoryResult<u32>;

    /// Notes a session's hold, so that the session's page can list it. A hint: the newest [`NOTED_HOLDS_MAX`] are kept for [`NOTED_HOLDS_TTL`].
    async fn note_hold(&self, session: SessionId, scope: EventScope, hold: HoldId) -> StoreResult<()>;

    /// The noted holds of a session, newest first. Some may have ended or were not granted.
    async fn noted_holds(&self, session: SessionId) -> StoreResult<Vec<(EventScope, HoldId)>>;
}

/// Noted holds per session; older ones are dropped.
pub const NOTED_HOLDS_MAX: usize = 32;
/// The life of a note, longer than that of a hold.
pub const NOTED_HOLDS_TTL: Duration = Duration::from_secs(7_200);

/// The cold state of an event, which a rebuild reads.
#[derive(Debug, Clone, Default)]
pub struct ColdInventory {
    /// All places that have a row.
    pub places: Vec<PlaceEffect>,
    /// Tickets that no longer admit.
    pub revoked: Vec<TicketId>,
    /// Tickets that have admitted.
    pub admitted: Vec<TicketId>,
}

/// Places that the organizer blocks.
#[derive(Debug, Clone)]
pub struct Block {
    /// The block's identifier, which owns its places.
    pub id: Uuid,
    /// The places.
    pub places: Vec<PlaceNumber>,
    /// The reason, for the organizer.
    pub reason: String,
}

/// The places in cold, which decides about them (P1).
#[async_trait]
pub trait PlaceStore: Send + Sync + 'static {
    /// Raises the event's epoch by one and returns it.
    async fn raise_epoch(&self, organization: OrganizationId, event: EventId) -> StoreResult<Epoch>;

    /// The cold state of an event, read in one snapshot.
    async fn read_inventory(&self, organization: OrganizationId, event: EventId) -> StoreResult<ColdInventory>;

    /// Blocks free places, all or nothing, and writes the outbox row. Refused: `place_taken` with the places.
    async fn block(
        &self,
        organization: OrganizationId,
        event: EventId,
        block: Block,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;

    /// Unblocks places, ignores places that are not blocked, and writes the outbox row. Returns the unblocked places.
    async fn unblock(
        &self,
        organization: OrganizationId,
        event: EventId,
        places: &[PlaceNumber],
    ) -> StoreResult<Vec<PlaceNumber>>;

    /// The cold state of some places; places without a row are free.
    async fn read_places(
        &self,
        organization: OrganizationId,
        event: EventId,
        places: &[PlaceNumber],
    ) -> StoreResult<Vec<PlaceEffect>>;
}

/// Checks the remaining uses of promo codes; checkout implements it.
#[async_trait]
pub trait CodeUses: Send + Sync + 'static {
    /// Refuses a code that has no uses left for the session by the current counts; the order's commit decides.
    ///
    /// # Errors
    /// `limit_reached`.
    async fn check_uses(
        &self,
        scope: EventScope,
        listing: &Listing,
        session: SessionId,
        code: Option<&str>,
    ) -> CommandResult<()>;
}

/// Counts holds; analytics implements it.
pub trait HoldCounts: Send + Sync + 'static {
    /// Counts a step of an event.
    fn count(&self, scope: EventScope, step: SaleStep);
}
