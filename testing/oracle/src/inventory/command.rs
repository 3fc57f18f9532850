//! What can be asked of an inventory, and what it can say, as values that two implementations can be compared by.

use voelgoed_domain::ids::{HoldId, OrderId, SessionId, TicketId};
use voelgoed_domain::refusal::{Code, Evidence, Refusal};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
use voelgoed_domain::ticketing::inventory::{GateFilter, Install};
use voelgoed_domain::ticketing::place::{PlaceEffect, Position};

/// A command.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is named after the method that it stands for")]
pub enum Command {
    Install(Install),
    Hold(HoldRequest),
    Change(HoldRequest),
    Read(HoldId),
    Release(HoldId),
    Pin(HoldId),
    Unpin(HoldId),
    Apply { claimed_by: Option<(HoldId, OrderId)>, effects: Vec<PlaceEffect> },
    Sweep(usize),
    HeldBy(SessionId),
    Admitted(TicketId),
    Revoked(Vec<TicketId>),
    Filter(TicketId),
}

/// A good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A hold as it stands.
    Hold(HoldRecord),
    /// Where the log stands.
    Position(Position),
    /// A number of places or holds.
    Count(usize),
    /// What the gate's filter says.
    Filter(GateFilter),
    /// Done.
    Done,
    /// The store does not take this: not loaded, or not a higher epoch.
    Unloaded,
}

/// An answer; of a refusal everything but its wording.
pub type Verdict = Result<Told, Box<(Code, Evidence)>>;

/// The comparable part of an answer.
///
/// # Errors
/// The refusal without its wording.
pub fn verdict<T>(answer: Result<T, Refusal>, told: impl FnOnce(T) -> Told) -> Verdict {
    answer.map(told).map_err(|refusal| Box::new((refusal.code, *refusal.evidence)))
}
