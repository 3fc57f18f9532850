//! What ticketing needs: the warm inventory of an event, and the places of the cold tier.
//!
//! Every method names the organization first (P7). An [`InventoryError::Unloaded`] is never acknowledged as done: the caller rebuilds from cold and repeats.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast;
use uuid::Uuid;
use voelgoed_domain::ids::{EventId, HoldId, OrderId, OrganizationId, SessionId, TicketId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
pub use voelgoed_domain::ticketing::inventory::{
    AreaSpan, CatchUp, Counts, GateFilter, Install, InventoryChange, InventorySnapshot,
};
use voelgoed_domain::ticketing::place::{Epoch, PlaceEffect, PlaceNumber, Position};

use crate::error::{Fault, StoreResult};
use crate::idempotency::{Created, IdempotencyRecord};

/// An event of an organization: what every warm key, topic and cache entry starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventScope {
    /// The tenant.
    pub organization: OrganizationId,
    /// Its event.
    pub event: EventId,
}

/// Why the warm tier did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InventoryError {
    /// It holds no (or an old, or a torn) copy of this event: rebuild from cold, then repeat.
    #[error("the warm tier has not loaded this event")]
    Unloaded,
    /// An expected answer: `place_taken`, `sold_out`, `limit_reached`, `hold_expired`, `hold_lost`, `not_found`, `already_ordered`.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It is away.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The answer of the warm tier.
pub type Answer<T> = Result<T, InventoryError>;

/// A signal to readers that an event's log has grown, or that it was installed anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Which event.
    pub scope: EventScope,
    /// The newest position.
    pub position: Position,
}

/// Whose an event's rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// The caller's, from now on.
    Given,
    /// Somebody else's.
    Taken {
        /// After this it is free at the latest.
        free_in: Duration,
    },
}

/// The warm tier's view of one event: holds are decided here, sales are only filtered here.
///
/// Every method is one atomic step at the store, which uses its own clock.
#[async_trait]
pub trait InventoryStore: Send + Sync + 'static {
    /// Gives the rebuild of an event to whoever asks first with a token of its own, for `lasts` by the store's clock; again to the same token.
    async fn lease_rebuild(&self, scope: EventScope, lease: Uuid, lasts: Duration) -> StoreResult<Lease>;

    /// Replaces the event's state by what cold says, keeping surviving holds that conflict with nothing in it; ends the lease.
    /// Refused as [`InventoryError::Unloaded`] where the epoch is not higher than the one installed, or `lease` is not (or no longer) the event's.
    async fn install(&self, scope: EventScope, lease: Uuid, install: Install) -> Answer<Position>;

    /// Grants all that is asked for or nothing; the same hold id again answers the same.
    async fn hold(&self, scope: EventScope, request: HoldRequest) -> Answer<HoldRecord>;

    /// Replaces an active hold's content: keeps the places that both have, takes the new ones, frees the rest; all or nothing. `expires_at` stays.
    async fn change_hold(&self, scope: EventScope, request: HoldRequest) -> Answer<HoldRecord>;

    /// The hold, if it lives.
    async fn read_hold(&self, scope: EventScope, hold: HoldId) -> Answer<HoldRecord>;

    /// Frees an active hold; nothing happens where it is gone already. A pinned or claimed one is `already_ordered`.
    async fn release(&self, scope: EventScope, hold: HoldId) -> Answer<()>;

    /// Keeps an active hold from lapsing while an order is written; idempotent; lapses after 60 s. `expires_at` stays.
    async fn pin(&self, scope: EventScope, hold: HoldId) -> Answer<HoldRecord>;

    /// Takes a pin back: the order was not written.
    async fn unpin(&self, scope: EventScope, hold: HoldId) -> Answer<()>;

    /// Carries over what cold decided. Applied only above each place's version; a claim by `order` takes the places out of the reach of `hold`'s expiry.
    async fn apply(
        &self,
        scope: EventScope,
        claimed_by: Option<(HoldId, OrderId)>,
        effects: &[PlaceEffect],
    ) -> Answer<Position>;

    /// The whole state at one position.
    async fn snapshot(&self, scope: EventScope) -> Answer<InventorySnapshot>;

    /// What happened after `since`.
    async fn changes_since(&self, scope: EventScope, since: Position) -> Answer<CatchUp>;

    /// Signals of all events of this store; a lagging reader re-reads.
    fn subscribe(&self) -> broadcast::Receiver<Moved>;

    /// Frees at most `most` lapsed holds of every event; returns how many.
    async fn sweep(&self, most: usize) -> StoreResult<usize>;

    /// Asks the gate's filter.
    async fn gate_filter(&self, scope: EventScope, ticket: TicketId) -> Answer<GateFilter>;

    /// Remembers at the gate's filter that cold has admitted a ticket.
    async fn mark_admitted(&self, scope: EventScope, ticket: TicketId) -> Answer<()>;

    /// Remembers at the gate's filter that tickets no longer admit.
    async fn mark_revoked(&self, scope: EventScope, tickets: &[TicketId]) -> Answer<()>;

    /// Events loaded here, for gauges and sweeps.
    async fn loaded(&self) -> StoreResult<Vec<EventScope>>;

    /// The places that a session holds now.
    async fn held_by(&self, scope: EventScope, session: SessionId) -> Answer<u32>;

    /// Notes that a session asked for a hold, so that its own page can list its holds. A hint: the newest [`NOTED_HOLDS_MAX`] are kept for [`NOTED_HOLDS_KEPT`].
    async fn note_hold(&self, session: SessionId, scope: EventScope, hold: HoldId) -> StoreResult<()>;

    /// The holds noted for a session, newest first. Some may be over, or were never granted.
    async fn noted_holds(&self, session: SessionId) -> StoreResult<Vec<(EventScope, HoldId)>>;
}

/// Holds that are noted per session; older ones are forgotten.
pub const NOTED_HOLDS_MAX: usize = 32;
/// How long a note is kept. A hold lives for minutes.
pub const NOTED_HOLDS_KEPT: Duration = Duration::from_secs(7_200);

/// The cold tier's places of an event, as a rebuild reads them.
#[derive(Debug, Clone, Default)]
pub struct ColdInventory {
    /// Every place that has a row.
    pub places: Vec<PlaceEffect>,
    /// Tickets that no longer admit.
    pub revoked: Vec<TicketId>,
    /// Tickets that have admitted.
    pub admitted: Vec<TicketId>,
}

/// Blocks of places that the organizer keeps back.
#[derive(Debug, Clone)]
pub struct Block {
    /// The block's identifier, owner of its places.
    pub id: Uuid,
    /// Which places.
    pub places: Vec<PlaceNumber>,
    /// Why, for the organizer.
    pub reason: String,
}

/// The cold tier's places: the authority (P1).
#[async_trait]
pub trait PlaceStore: Send + Sync + 'static {
    /// Raises the event's epoch by one and returns it.
    async fn raise_epoch(&self, organization: OrganizationId, event: EventId) -> StoreResult<Epoch>;

    /// Everything that a rebuild needs, read in one snapshot.
    async fn read_inventory(&self, organization: OrganizationId, event: EventId) -> StoreResult<ColdInventory>;

    /// Keeps free places back, all or nothing, with its outbox row; the inner refusal is `place_taken` with the places.
    async fn block(
        &self,
        organization: OrganizationId,
        event: EventId,
        block: Block,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;

    /// Gives blocked places back, with its outbox row; places that are not blocked are left alone. Returns those given back.
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
