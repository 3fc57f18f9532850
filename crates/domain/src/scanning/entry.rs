//! Decides who is admitted: one ticket, one entry, unless the entry rule allows more (P6).
//!
//! Never: re-admits by a clock, or hides that two people came with one ticket. The inputs are those of the cold tier, whose commit of
//! (ticket, entry number) makes the decision final. To add a reason: a line in [`ScanReason`], its rule here, its rows in the tests.

use serde::{Deserialize, Serialize};

use super::ticket::{TicketState, TicketTransition};
use crate::ids::{AreaId, GateId};
use crate::text_enum::text_enum;
use crate::ticketing::inventory::GateFilter;
use crate::time::Timestamp;

text_enum! {
    /// Whether a scan is of an entry or an exit.
    "direction" Direction {
        /// The person goes in.
        Entry = "entry",
        /// The person goes out.
        Exit = "exit",
    }
}

text_enum! {
    /// Why a scan is refused.
    "scan reason" ScanReason {
        /// Not a ticket code of this platform, or a changed one.
        Invalid = "invalid",
        /// Signed by a key that the event does not have.
        UnknownKey = "unknown_key",
        /// A ticket of another event.
        WrongEvent = "wrong_event",
        /// Before the ticket's validity.
        NotYet = "not_yet",
        /// After the ticket's validity.
        Expired = "expired",
        /// Revoked without a refund.
        Revoked = "revoked",
        /// Revoked by a refund.
        Refunded = "refunded",
        /// Already admitted; `first` in the answer says where and when.
        AlreadyUsed = "already_used",
        /// The gate does not lead to the ticket's area.
        WrongGate = "wrong_gate",
        /// An exit without an entry.
        NotInside = "not_inside",
    }
}

impl ScanReason {
    /// True where the scan identifies no ticket of this event, so that nothing can be written for one.
    #[must_use]
    pub const fn has_no_ticket(self) -> bool {
        matches!(self, Self::Invalid | Self::UnknownKey | Self::WrongEvent)
    }
}

text_enum! {
    /// How often a ticket admits.
    #[derive(Default)]
    "entry rule" EntryRule {
        /// Once.
        #[default]
        Single = "single",
        /// Again after each exit scan.
        Reentry = "reentry",
    }
}

/// An entry that was recorded before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorEntry {
    /// The gate of the entry.
    pub gate: GateId,
    /// The time by the server's clock, or by the device's where it was offline.
    pub at: Timestamp,
}

/// The inputs of the entry rule, all read at one moment of the cold tier.
#[derive(Debug, Clone, Copy)]
pub struct ScanInputs<'a> {
    /// How often the ticket admits.
    pub rule: EntryRule,
    /// Whether the scan is of an entry or an exit.
    pub direction: Direction,
    /// The areas that the gate leads to; empty means all.
    pub gate_areas: &'a [AreaId],
    /// The area of the ticket's place.
    pub area: AreaId,
    /// The ticket's state.
    pub ticket: TicketState,
    /// True where a refund revoked the ticket.
    pub refunded: bool,
    /// How many times the ticket was admitted: the highest entry number.
    pub entries: u32,
    /// True where the last entry has no exit yet.
    pub inside: bool,
    /// The entry that a refusal shows: the first, or the last one where re-entry is allowed.
    pub before: Option<PriorEntry>,
    /// Why the code was refused before any store was read, if it was.
    pub early: Option<ScanReason>,
    /// True where the device has already admitted the person: the entry is recorded, and a reason against it reported as a conflict.
    pub forced: bool,
}

/// The decision on a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanDecision {
    /// The person may pass.
    Admitted {
        /// The number of the entry that begins or ends, from 1 and unique per ticket; 0 for a forced exit without an entry.
        entry_no: u32,
        /// The transition of the ticket, if any.
        ticket: Option<TicketTransition>,
        /// The reason that would have refused the scan if it were not forced; always reported.
        conflict: Option<ScanReason>,
    },
    /// The person may not pass.
    Refused(ScanReason),
}

/// Decides a scan by its inputs.
#[must_use]
pub fn decide_scan(inputs: &ScanInputs<'_>) -> ScanDecision {
    match refusal_reason(inputs) {
        Some(reason) if !inputs.forced || reason.has_no_ticket() => ScanDecision::Refused(reason),
        conflict => admitted(inputs, conflict),
    }
}

fn admitted(inputs: &ScanInputs<'_>, conflict: Option<ScanReason>) -> ScanDecision {
    match inputs.direction {
        Direction::Exit => ScanDecision::Admitted { entry_no: inputs.entries, ticket: None, conflict },
        Direction::Entry => {
            let ticket = match inputs.ticket {
                TicketState::Valid => Some(TicketTransition::Admit),
                TicketState::Used => Some(TicketTransition::Readmit),
                // A forced entry of a revoked ticket: the entry is written, the state stays.
                TicketState::Revoking | TicketState::Revoked => None,
            };
            ScanDecision::Admitted { entry_no: inputs.entries.saturating_add(1), ticket, conflict }
        }
    }
}

/// The reason against a scan; of several the strongest.
fn refusal_reason(inputs: &ScanInputs<'_>) -> Option<ScanReason> {
    match inputs.direction {
        // A person inside may leave, even when the ticket was revoked or has expired in the meantime.
        Direction::Exit => match inputs.early.filter(|reason| reason.has_no_ticket()) {
            Some(reason) => Some(reason),
            None if inputs.inside => None,
            None => Some(ScanReason::NotInside),
        },
        Direction::Entry => inputs.early.or_else(|| reason_of_state(inputs)).or_else(|| {
            let leads_there = inputs.gate_areas.is_empty() || inputs.gate_areas.contains(&inputs.area);
            (!leads_there).then_some(ScanReason::WrongGate)
        }),
    }
}

fn reason_of_state(inputs: &ScanInputs<'_>) -> Option<ScanReason> {
    match inputs.ticket {
        TicketState::Revoking | TicketState::Revoked if inputs.refunded => Some(ScanReason::Refunded),
        TicketState::Revoking | TicketState::Revoked => Some(ScanReason::Revoked),
        TicketState::Valid | TicketState::Used => match inputs.rule {
            EntryRule::Single if inputs.entries > 0 || inputs.ticket == TicketState::Used => {
                Some(ScanReason::AlreadyUsed)
            }
            EntryRule::Reentry if inputs.inside => Some(ScanReason::AlreadyUsed),
            EntryRule::Single | EntryRule::Reentry => None,
        },
    }
}

/// Why the warm tier refuses a scan while cold is unavailable. The filter knows admissions and revocations only; other reasons (wrong gate,
/// exit without entry) are found when the scan is replayed to cold, and reported then.
#[must_use]
pub const fn filter_refusal(
    filter: GateFilter,
    direction: Direction,
    early: Option<ScanReason>,
    forced: bool,
) -> Option<ScanReason> {
    let reason = match (early, direction, filter) {
        (Some(reason), Direction::Entry, _) => Some(reason),
        // A person inside may leave in any state of the ticket.
        (Some(reason), Direction::Exit, _) if reason.has_no_ticket() => Some(reason),
        (_, Direction::Exit, _) | (None, Direction::Entry, GateFilter::Unseen) => None,
        (None, Direction::Entry, GateFilter::Admitted) => Some(ScanReason::AlreadyUsed),
        (None, Direction::Entry, GateFilter::Revoked) => Some(ScanReason::Revoked),
    };
    match reason {
        Some(reason) if !forced || reason.has_no_ticket() => Some(reason),
        Some(_) | None => None,
    }
}

/// True where the warm tier would admit only because its filter has not seen the ticket. While an unresolved intent covers the ticket, cold may have
/// committed an admission or revocation that the filter does not have yet.
#[must_use]
pub const fn relies_on_unseen(direction: Direction, early: Option<ScanReason>, forced: bool) -> bool {
    matches!((direction, early, forced), (Direction::Entry, None, false))
}

text_enum! {
    /// The result of an offline scan that a device synchronizes.
    "sync outcome" SyncOutcome {
        /// Written without a conflict.
        Accepted = "accepted",
        /// The ticket was admitted before; no second person was admitted.
        DuplicateOf = "duplicate_of",
        /// Admitted by the device although a reason is against it, or refused for another reason than a duplicate.
        Conflict = "conflict",
        /// Not a ticket of this event.
        Unknown = "unknown",
    }
}

/// The outcome of a written scan, by its refusal and whether it was admitted with a conflict. Every repetition of the scan has the same
/// outcome, so that a device that missed the first answer still gets the conflict.
#[must_use]
pub const fn sync_outcome(refused: Option<ScanReason>, conflict: bool) -> SyncOutcome {
    match refused {
        None if conflict => SyncOutcome::Conflict,
        None => SyncOutcome::Accepted,
        Some(ScanReason::AlreadyUsed) => SyncOutcome::DuplicateOf,
        Some(reason) if reason.has_no_ticket() => SyncOutcome::Unknown,
        Some(_) => SyncOutcome::Conflict,
    }
}

#[cfg(test)]
mod tests;
