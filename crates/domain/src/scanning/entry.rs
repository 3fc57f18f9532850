//! Who is let in: one ticket, one admission, unless the entry rule says otherwise (P6).
//!
//! Never: a clock that re-admits, or a silent answer to two people on one ticket. The facts are those of the cold tier; its commit of
//! (ticket, entry number) is what makes the decision true. To add a reason: a line in [`ScanReason`], its rule here, its rows in the tests.

use serde::{Deserialize, Serialize};
use voelgoed_planted::{Bug, planted};

use super::ticket::{TicketEvent, TicketState};
use crate::ids::{AreaId, GateId};
use crate::named::named;
use crate::ticketing::inventory::GateFilter;
use crate::time::Timestamp;

named! {
    /// In or out.
    "direction" Direction {
        /// In.
        Entry = "entry",
        /// Out.
        Exit = "exit",
    }
}

named! {
    /// Why nobody is let through.
    "scan reason" ScanReason {
        /// No code of ours, or a changed one.
        Invalid = "invalid",
        /// Signed by a key that this event does not have.
        UnknownKey = "unknown_key",
        /// For another event.
        WrongEvent = "wrong_event",
        /// Before its validity.
        NotYet = "not_yet",
        /// After its validity.
        Expired = "expired",
        /// Taken back without money.
        Revoked = "revoked",
        /// Taken back for money.
        Refunded = "refunded",
        /// Has admitted; `first` says where and when.
        AlreadyUsed = "already_used",
        /// This gate does not lead to its area.
        WrongGate = "wrong_gate",
        /// Out, without having come in.
        NotInside = "not_inside",
    }
}

impl ScanReason {
    /// True where no ticket of this event is known by the scan, so nothing can be written for one.
    #[must_use]
    pub const fn knows_no_ticket(self) -> bool {
        matches!(self, Self::Invalid | Self::UnknownKey | Self::WrongEvent)
    }
}

named! {
    /// How often a ticket admits.
    "entry rule" EntryRule {
        /// Once.
        Single = "single",
        /// Again after each exit scan.
        Reentry = "reentry",
    }
}

impl EntryRule {
    /// What holds where nothing else is said.
    #[must_use]
    pub const fn usual() -> Self {
        Self::Single
    }
}

/// An entry that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorEntry {
    /// Where.
    pub gate: GateId,
    /// When, by the server's clock, or by the device's where it was offline.
    pub at: Timestamp,
}

/// What the rule needs to know; all of it as of one moment of the cold tier.
#[derive(Debug, Clone, Copy)]
pub struct ScanFacts<'a> {
    /// How often the ticket admits.
    pub rule: EntryRule,
    /// In or out.
    pub direction: Direction,
    /// The areas that the gate leads to; empty means all.
    pub gate_areas: &'a [AreaId],
    /// The area of the ticket's place.
    pub area: AreaId,
    /// Where the ticket stands.
    pub ticket: TicketState,
    /// True where the ticket was taken back for money.
    pub refunded: bool,
    /// How many times it has admitted: the highest entry number.
    pub entries: u32,
    /// True where its last entry has no exit yet.
    pub inside: bool,
    /// The entry that a refusal shows: the first, or the last one where re-entry is allowed.
    pub before: Option<PriorEntry>,
    /// Why its code was refused before any store was asked, where it was.
    pub early: Option<ScanReason>,
    /// The device has already let the person through: this is recorded, and what speaks against it is reported.
    pub forced: bool,
}

/// What became of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanDecision {
    /// Let in, or out.
    Admitted {
        /// The number of the entry that begins (in) or ends (out), from 1 and unique per ticket; 0 for a forced exit that ends none.
        entry_no: u32,
        /// What happens to the ticket, where anything does.
        ticket: Option<TicketEvent>,
        /// What would have refused it, had the device not let the person through already; always reported.
        conflict: Option<ScanReason>,
    },
    /// Not let through.
    Refused(ScanReason),
}

/// Decides a scan.
#[must_use]
pub fn decide_scan(facts: &ScanFacts<'_>) -> ScanDecision {
    let objection = objection(facts);
    match objection {
        Some(reason) if !facts.forced || reason.knows_no_ticket() => ScanDecision::Refused(reason),
        conflict => admitted(facts, conflict),
    }
}

fn admitted(facts: &ScanFacts<'_>, conflict: Option<ScanReason>) -> ScanDecision {
    match facts.direction {
        Direction::Exit => ScanDecision::Admitted { entry_no: facts.entries, ticket: None, conflict },
        Direction::Entry => {
            let ticket = match facts.ticket {
                TicketState::Valid => Some(TicketEvent::Admit),
                TicketState::Used => Some(TicketEvent::Readmit),
                // It was let in against its state: the entry is written, the state stays.
                TicketState::Revoking | TicketState::Revoked => None,
            };
            ScanDecision::Admitted { entry_no: facts.entries.saturating_add(1), ticket, conflict }
        }
    }
}

/// What speaks against letting through, the strongest first.
fn objection(facts: &ScanFacts<'_>) -> Option<ScanReason> {
    match facts.direction {
        // Whoever is inside may leave, whatever became of the ticket or its validity meanwhile.
        Direction::Exit => match facts.early.filter(|reason| reason.knows_no_ticket()) {
            Some(reason) => Some(reason),
            None if facts.inside => None,
            None => Some(ScanReason::NotInside),
        },
        Direction::Entry => facts.early.or_else(|| state_objection(facts)).or_else(|| {
            let leads_there = facts.gate_areas.is_empty() || facts.gate_areas.contains(&facts.area);
            (!leads_there).then_some(ScanReason::WrongGate)
        }),
    }
}

fn state_objection(facts: &ScanFacts<'_>) -> Option<ScanReason> {
    match facts.ticket {
        TicketState::Revoking | TicketState::Revoked if facts.refunded => Some(ScanReason::Refunded),
        TicketState::Revoking | TicketState::Revoked => Some(ScanReason::Revoked),
        TicketState::Valid | TicketState::Used => match facts.rule {
            EntryRule::Single if planted(Bug::AdmitsTwice) => None,
            EntryRule::Single if facts.entries > 0 || facts.ticket == TicketState::Used => {
                Some(ScanReason::AlreadyUsed)
            }
            EntryRule::Reentry if facts.inside => Some(ScanReason::AlreadyUsed),
            EntryRule::Single | EntryRule::Reentry => None,
        },
    }
}

/// Why the warm tier does not let through where cold cannot be asked. Its filter knows of admissions and revocations alone: what else speaks
/// against a ticket (its area, a gate, an exit that never came in) is found when cold gets the scan, and reported then.
#[must_use]
pub const fn filter_refusal(
    filter: GateFilter,
    direction: Direction,
    early: Option<ScanReason>,
    forced: bool,
) -> Option<ScanReason> {
    let objection = match (early, direction, filter) {
        (Some(reason), Direction::Entry, _) => Some(reason),
        // Whoever is inside may leave, whatever became of the ticket.
        (Some(reason), Direction::Exit, _) if reason.knows_no_ticket() => Some(reason),
        (_, Direction::Exit, _) | (None, Direction::Entry, GateFilter::Unseen) => None,
        (None, Direction::Entry, GateFilter::Admitted) => Some(ScanReason::AlreadyUsed),
        (None, Direction::Entry, GateFilter::Revoked) => Some(ScanReason::Revoked),
    };
    match objection {
        Some(reason) if !forced || reason.knows_no_ticket() => Some(reason),
        Some(_) | None => None,
    }
}

/// True where warm alone would let somebody in on nothing but its not having seen the ticket. While cold is asked about it by another act whose end
/// warm has not heard, that is not enough: cold may have admitted or revoked it, and nobody is left who knows.
#[must_use]
pub const fn rests_on_unseen(direction: Direction, early: Option<ScanReason>, forced: bool) -> bool {
    matches!((direction, early, forced), (Direction::Entry, None, false))
}

named! {
    /// What a device that was offline is told of each scan that it brings.
    "sync outcome" SyncOutcome {
        /// Written, and nothing speaks against it.
        Accepted = "accepted",
        /// Its ticket had admitted before; nobody was let in a second time.
        DuplicateOf = "duplicate_of",
        /// The person was let in, or would have been, although something speaks against it.
        Conflict = "conflict",
        /// No ticket of this event.
        Unknown = "unknown",
    }
}

/// The outcome for a scan as it was written: its refusal if any, and whether it admitted against an objection.
/// The same for every repetition of the scan, so that a device which missed the first answer still hears of a conflict.
#[must_use]
pub const fn sync_outcome(refused: Option<ScanReason>, conflict: bool) -> SyncOutcome {
    match refused {
        None if conflict => SyncOutcome::Conflict,
        None => SyncOutcome::Accepted,
        Some(ScanReason::AlreadyUsed) => SyncOutcome::DuplicateOf,
        Some(reason) if reason.knows_no_ticket() => SyncOutcome::Unknown,
        Some(_) => SyncOutcome::Conflict,
    }
}

#[cfg(test)]
mod tests;
