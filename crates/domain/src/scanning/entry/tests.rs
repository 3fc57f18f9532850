//! Tests the entry rules: one row per case with its exact decision, then every combination against the invariants.

use uuid::Uuid;

use super::{
    Direction, EntryRule, PriorEntry, ScanDecision, ScanInputs, ScanReason, SyncOutcome, decide_scan, sync_outcome,
};
use crate::ids::{AreaId, GateId};
use crate::scanning::ticket::{TicketState, TicketTransition};
use crate::time::Timestamp;

fn area(number: u128) -> AreaId {
    AreaId::from_uuid(Uuid::from_u128(number))
}

/// A valid ticket of area 1, never scanned, at a gate that leads to all areas.
fn unscanned() -> ScanInputs<'static> {
    ScanInputs {
        rule: EntryRule::Single,
        direction: Direction::Entry,
        gate_areas: &[],
        area: area(1),
        ticket: TicketState::Valid,
        refunded: false,
        entries: 0,
        inside: false,
        before: None,
        early: None,
        forced: false,
    }
}

/// A ticket that was admitted `entries` times, whose holder is inside.
fn used(entries: u32) -> ScanInputs<'static> {
    let before = PriorEntry { gate: GateId::from_uuid(Uuid::from_u128(9)), at: Timestamp::from_micros(5) };
    ScanInputs { ticket: TicketState::Used, entries, inside: true, before: Some(before), ..unscanned() }
}

fn describe(inputs: &ScanInputs<'_>) -> String {
    match decide_scan(inputs) {
        ScanDecision::Refused(reason) => reason.to_string(),
        ScanDecision::Admitted { entry_no, ticket, conflict } => {
            let ticket = match ticket {
                None => "",
                Some(TicketTransition::Admit) => " admit",
                Some(TicketTransition::Readmit) => " readmit",
                Some(other) => panic!("a scan never does {other:?}"),
            };
            let conflict = conflict.map(|reason| format!(" against {reason}")).unwrap_or_default();
            format!("{entry_no}{ticket}{conflict}")
        }
    }
}

/// Checks a row without force and with force.
#[track_caller]
fn check(name: &str, inputs: ScanInputs<'_>, unforced: &str, forced: &str) {
    assert_eq!(describe(&inputs), unforced, "{name}, unforced");
    assert_eq!(describe(&ScanInputs { forced: true, ..inputs }), forced, "{name}, forced");
}

#[test]
fn single_entry_admits_once() {
    use TicketState::{Revoked, Revoking};
    let here = [area(1), area(2)];
    let elsewhere = [area(2)];
    check("first", unscanned(), "1 admit", "1 admit");
    check("first, gate of its area", ScanInputs { gate_areas: &here, ..unscanned() }, "1 admit", "1 admit");
    check(
        "other gate",
        ScanInputs { gate_areas: &elsewhere, ..unscanned() },
        "wrong_gate",
        "1 admit against wrong_gate",
    );
    check("second", used(1), "already_used", "2 readmit against already_used");
    check("third, after a forced one", used(2), "already_used", "3 readmit against already_used");
    check(
        "second, after an exit",
        ScanInputs { inside: false, ..used(1) },
        "already_used",
        "2 readmit against already_used",
    );
    check(
        "used and other gate",
        ScanInputs { gate_areas: &elsewhere, ..used(1) },
        "already_used",
        "2 readmit against already_used",
    );
    check(
        "entry written, state not yet",
        ScanInputs { ticket: TicketState::Valid, ..used(1) },
        "already_used",
        "2 admit against already_used",
    );
    check(
        "state written, entry not here",
        ScanInputs { entries: 0, ..used(1) },
        "already_used",
        "1 readmit against already_used",
    );
    check("revoking", ScanInputs { ticket: Revoking, ..unscanned() }, "revoked", "1 against revoked");
    check("revoked", ScanInputs { ticket: Revoked, ..unscanned() }, "revoked", "1 against revoked");
    check(
        "refunding",
        ScanInputs { ticket: Revoking, refunded: true, ..unscanned() },
        "refunded",
        "1 against refunded",
    );
    check("refunded", ScanInputs { ticket: Revoked, refunded: true, ..unscanned() }, "refunded", "1 against refunded");
    check(
        "refunded after use",
        ScanInputs { ticket: Revoked, refunded: true, ..used(1) },
        "refunded",
        "2 against refunded",
    );
}

#[test]
fn reentry_admits_after_each_exit() {
    let rule = EntryRule::Reentry;
    let elsewhere = [area(2)];
    check("first", ScanInputs { rule, ..unscanned() }, "1 admit", "1 admit");
    check("inside", ScanInputs { rule, ..used(1) }, "already_used", "2 readmit against already_used");
    check("after an exit", ScanInputs { rule, inside: false, ..used(1) }, "2 readmit", "2 readmit");
    check("after the third exit", ScanInputs { rule, inside: false, ..used(3) }, "4 readmit", "4 readmit");
    check(
        "after an exit, other gate",
        ScanInputs { rule, inside: false, gate_areas: &elsewhere, ..used(1) },
        "wrong_gate",
        "2 readmit against wrong_gate",
    );
    let revoked = ScanInputs { rule, inside: false, ticket: TicketState::Revoked, ..used(1) };
    check("after an exit, revoked", revoked, "revoked", "2 against revoked");
}

#[test]
fn exit_is_refused_only_outside_or_without_a_ticket() {
    let elsewhere = [area(2)];
    for rule in [EntryRule::Single, EntryRule::Reentry] {
        let out = |inputs| ScanInputs { rule, direction: Direction::Exit, ..inputs };
        check("inside", out(used(1)), "1", "1");
        check("inside for the third time", out(used(3)), "3", "3");
        check("inside, any gate", out(ScanInputs { gate_areas: &elsewhere, ..used(1) }), "1", "1");
        check("inside, revoked meanwhile", out(ScanInputs { ticket: TicketState::Revoked, ..used(1) }), "1", "1");
        check("inside, over meanwhile", out(ScanInputs { early: Some(ScanReason::Expired), ..used(1) }), "1", "1");
        check("never inside", out(unscanned()), "not_inside", "0 against not_inside");
        check("outside again", out(ScanInputs { inside: false, ..used(2) }), "not_inside", "2 against not_inside");
        check(
            "not a ticket code",
            out(ScanInputs { early: Some(ScanReason::Invalid), ..used(1) }),
            "invalid",
            "invalid",
        );
    }
}

#[test]
fn code_refusal_precedes_all_others() {
    let early = |reason, inputs| ScanInputs { early: Some(reason), ..inputs };
    check("changed", early(ScanReason::Invalid, unscanned()), "invalid", "invalid");
    check("foreign key", early(ScanReason::UnknownKey, unscanned()), "unknown_key", "unknown_key");
    check("other event", early(ScanReason::WrongEvent, unscanned()), "wrong_event", "wrong_event");
    check("too early", early(ScanReason::NotYet, unscanned()), "not_yet", "1 admit against not_yet");
    check("too late", early(ScanReason::Expired, unscanned()), "expired", "1 admit against expired");
    check("too late and used", early(ScanReason::Expired, used(1)), "expired", "2 readmit against expired");
}

fn all_cases() -> Vec<ScanInputs<'static>> {
    const ELSEWHERE: &[AreaId] = &[AreaId::from_uuid(Uuid::from_u128(2))];
    let mut all = Vec::new();
    for early in std::iter::once(None).chain(ScanReason::ALL.iter().copied().map(Some)) {
        for ticket in TicketState::ALL {
            for (entries, inside) in [(0, false), (1, false), (1, true), (7, false), (7, true)] {
                for bits in 0..8_u8 {
                    for rule in EntryRule::ALL {
                        for direction in Direction::ALL {
                            all.push(ScanInputs {
                                rule: *rule,
                                direction: *direction,
                                gate_areas: if bits & 1 == 0 { &[] } else { ELSEWHERE },
                                refunded: bits & 2 != 0,
                                forced: bits & 4 != 0,
                                ticket: *ticket,
                                entries,
                                inside,
                                early,
                                ..unscanned()
                            });
                        }
                    }
                }
            }
        }
    }
    all
}

#[test]
fn scan_invariants_hold_for_all_inputs() {
    for inputs in all_cases() {
        let decision = decide_scan(&inputs);
        match decision {
            ScanDecision::Refused(reason) => {
                assert!(!inputs.forced || reason.has_no_ticket(), "{inputs:?}: {decision:?}")
            }
            ScanDecision::Admitted { entry_no, ticket, conflict } => {
                assert!(conflict.is_none() || inputs.forced, "only force admits against a reason: {inputs:?}");
                if inputs.direction == Direction::Entry {
                    assert_eq!(entry_no, inputs.entries + 1, "an entry number is never used twice");
                    if let Some(transition) = ticket {
                        assert!(
                            crate::state_machine::StateMachine::next(inputs.ticket, transition).is_some(),
                            "{inputs:?}"
                        );
                    }
                    let again = inputs.entries > 0 && (inputs.rule == EntryRule::Single || inputs.inside);
                    assert!(!again || conflict.is_some(), "a second admission is always reported: {inputs:?}");
                } else {
                    assert!(entry_no == inputs.entries && ticket.is_none());
                    assert!(entry_no > 0 || conflict.is_some(), "an exit without entry is always reported: {inputs:?}");
                }
            }
        }
        let forced = decide_scan(&ScanInputs { forced: true, ..inputs });
        let unforced = decide_scan(&ScanInputs { forced: false, ..inputs });
        match (unforced, forced) {
            (ScanDecision::Refused(reason), ScanDecision::Admitted { conflict, .. }) => {
                assert_eq!(conflict, Some(reason))
            }
            (unforced, forced) => {
                assert_eq!(unforced, forced, "force changes nothing where there is no reason against the scan")
            }
        }
    }
}

#[test]
fn each_reason_has_its_sync_outcome() {
    for reason in ScanReason::ALL {
        let expected = match reason {
            ScanReason::Invalid | ScanReason::UnknownKey | ScanReason::WrongEvent => SyncOutcome::Unknown,
            ScanReason::AlreadyUsed => SyncOutcome::DuplicateOf,
            _ => SyncOutcome::Conflict,
        };
        assert_eq!(sync_outcome(Some(*reason), false), expected, "{reason}");
    }
    assert_eq!(sync_outcome(None, false), SyncOutcome::Accepted);
    assert_eq!(sync_outcome(None, true), SyncOutcome::Conflict);
}

#[test]
fn scan_texts_match_the_contract() {
    let texts: Vec<_> = ScanReason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(
        texts.join(", "),
        "invalid, unknown_key, wrong_event, not_yet, expired, revoked, refunded, already_used, wrong_gate, not_inside"
    );
    let texts: Vec<_> = SyncOutcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    assert_eq!(texts.join(", "), "accepted, duplicate_of, conflict, unknown");
}
