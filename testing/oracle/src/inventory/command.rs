//! The commands and replies of an inventory, as values by which two implementations are compared.

use voelgoed_domain::ids::{HoldId, OrderId, SessionId, TicketId};
use voelgoed_domain::refusal::{Code, Refusal, RefusalEvidence};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
use voelgoed_domain::ticketing::inventory::{GateFilter, Install};
use voelgoed_domain::ticketing::place::{PlaceEffect, Position};

/// A call of one inventory method.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each variant is named after the method that it calls")]
pub enum InventoryCommand {
    Install(Install),
    Hold(HoldRequest),
    Change(HoldRequest),
    Read(HoldId),
    Release(HoldId),
    Pin(HoldId),
    Unpin(HoldId),
    Apply { claimed_by: Option<(HoldId, OrderId)>, effects: Vec<PlaceEffect> },
    FreeExpired(usize),
    HeldBy(SessionId),
    Admitted(TicketId),
    Revoked(Vec<TicketId>),
    Filter(TicketId),
}

/// A reply that is not a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InventoryReply {
    /// The hold.
    Hold(HoldRecord),
    /// The position of the change log.
    Position(Position),
    /// A number of places or holds.
    Count(usize),
    /// The ticket's entry in the gate filter.
    Filter(GateFilter),
    /// The command has no result.
    Done,
    /// The event is not loaded, or the epoch of the installation is not higher.
    Unloaded,
}

/// A refusal without its text.
pub(super) type ModelRefusal = Box<(Code, RefusalEvidence)>;

/// A reply, or a refusal without its text.
pub type InventoryOutcome = Result<InventoryReply, Box<(Code, RefusalEvidence)>>;

/// Drops the text of a refusal, so that two implementations can be compared.
///
/// # Errors
/// The code and the evidence of the refusal.
pub fn comparable_outcome<T>(result: Result<T, Refusal>, reply: impl FnOnce(T) -> InventoryReply) -> InventoryOutcome {
    result.map(reply).map_err(|refusal| Box::new((refusal.code, *refusal.evidence)))
}
