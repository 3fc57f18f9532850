//! Entry rules as tables: one row per case with its exact answer, then every combination against what must always hold.

use uuid::Uuid;

use super::{
    Direction, EntryRule, PriorEntry, ScanDecision, ScanFacts, ScanReason, SyncOutcome, decide_scan, sync_outcome,
};
use crate::ids::{AreaId, GateId};
use crate::scanning::ticket::{TicketEvent, TicketState};
use crate::time::Timestamp;

fn area(number: u128) -> AreaId {
    AreaId::from_uuid(Uuid::from_u128(number))
}

/// A valid ticket of area 1, never scanned, at a gate that leads everywhere.
fn fresh() -> ScanFacts<'static> {
    ScanFacts {
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

/// A ticket that has admitted `entries` times and whose holder is inside.
fn used(entries: u32) -> ScanFacts<'static> {
    let before = PriorEntry { gate: GateId::from_uuid(Uuid::from_u128(9)), at: Timestamp::from_micros(5) };
    ScanFacts { ticket: TicketState::Used, entries, inside: true, before: Some(before), ..fresh() }
}

fn shown(facts: &ScanFacts<'_>) -> String {
    match decide_scan(facts) {
        ScanDecision::Refused(reason) => reason.to_string(),
        ScanDecision::Admitted { entry_no, ticket, conflict } => {
            let ticket = match ticket {
                None => "",
                Some(TicketEvent::Admit) => " admit",
                Some(TicketEvent::Readmit) => " readmit",
                Some(other) => panic!("a scan never does {other:?}"),
            };
            let conflict = conflict.map(|reason| format!(" against {reason}")).unwrap_or_default();
            format!("{entry_no}{ticket}{conflict}")
        }
    }
}

/// Each row twice: as asked, and as forced.
#[track_caller]
fn check(name: &str, facts: ScanFacts<'_>, asked: &str, forced: &str) {
    assert_eq!(shown(&facts), asked, "{name}, asked");
    assert_eq!(shown(&ScanFacts { forced: true, ..facts }), forced, "{name}, forced");
}

#[test]
fn in_with_single_entry() {
    use TicketState::{Revoked, Revoking};
    let here = [area(1), area(2)];
    let elsewhere = [area(2)];
    check("first", fresh(), "1 admit", "1 admit");
    check("first, gate of its area", ScanFacts { gate_areas: &here, ..fresh() }, "1 admit", "1 admit");
    check("other gate", ScanFacts { gate_areas: &elsewhere, ..fresh() }, "wrong_gate", "1 admit against wrong_gate");
    check("second", used(1), "already_used", "2 readmit against already_used");
    check("third, after a forced one", used(2), "already_used", "3 readmit against already_used");
    check(
        "second, after an exit",
        ScanFacts { inside: false, ..used(1) },
        "already_used",
        "2 readmit against already_used",
    );
    check(
        "used and other gate",
        ScanFacts { gate_areas: &elsewhere, ..used(1) },
        "already_used",
        "2 readmit against already_used",
    );
    check(
        "entry written, state not yet",
        ScanFacts { ticket: TicketState::Valid, ..used(1) },
        "already_used",
        "2 admit against already_used",
    );
    check(
        "state written, entry not here",
        ScanFacts { entries: 0, ..used(1) },
        "already_used",
        "1 readmit against already_used",
    );
    check("revoking", ScanFacts { ticket: Revoking, ..fresh() }, "revoked", "1 against revoked");
    check("revoked", ScanFacts { ticket: Revoked, ..fresh() }, "revoked", "1 against revoked");
    check("refunding", ScanFacts { ticket: Revoking, refunded: true, ..fresh() }, "refunded", "1 against refunded");
    check("refunded", ScanFacts { ticket: Revoked, refunded: true, ..fresh() }, "refunded", "1 against refunded");
    check(
        "refunded after use",
        ScanFacts { ticket: Revoked, refunded: true, ..used(1) },
        "refunded",
        "2 against refunded",
    );
}

#[test]
fn in_with_reentry() {
    let rule = EntryRule::Reentry;
    let elsewhere = [area(2)];
    check("first", ScanFacts { rule, ..fresh() }, "1 admit", "1 admit");
    check("inside", ScanFacts { rule, ..used(1) }, "already_used", "2 readmit against already_used");
    check("after an exit", ScanFacts { rule, inside: false, ..used(1) }, "2 readmit", "2 readmit");
    check("after the third exit", ScanFacts { rule, inside: false, ..used(3) }, "4 readmit", "4 readmit");
    check(
        "after an exit, other gate",
        ScanFacts { rule, inside: false, gate_areas: &elsewhere, ..used(1) },
        "wrong_gate",
        "2 readmit against wrong_gate",
    );
    let revoked = ScanFacts { rule, inside: false, ticket: TicketState::Revoked, ..used(1) };
    check("after an exit, revoked", revoked, "revoked", "2 against revoked");
}

#[test]
fn out() {
    let elsewhere = [area(2)];
    for rule in [EntryRule::Single, EntryRule::Reentry] {
        let out = |facts| ScanFacts { rule, direction: Direction::Exit, ..facts };
        check("inside", out(used(1)), "1", "1");
        check("inside for the third time", out(used(3)), "3", "3");
        check("inside, any gate", out(ScanFacts { gate_areas: &elsewhere, ..used(1) }), "1", "1");
        check("inside, revoked meanwhile", out(ScanFacts { ticket: TicketState::Revoked, ..used(1) }), "1", "1");
        check("inside, over meanwhile", out(ScanFacts { early: Some(ScanReason::Expired), ..used(1) }), "1", "1");
        check("never inside", out(fresh()), "not_inside", "0 against not_inside");
        check("outside again", out(ScanFacts { inside: false, ..used(2) }), "not_inside", "2 against not_inside");
        check("no code of ours", out(ScanFacts { early: Some(ScanReason::Invalid), ..used(1) }), "invalid", "invalid");
    }
}

#[test]
fn what_the_code_said_comes_first() {
    let early = |reason, facts| ScanFacts { early: Some(reason), ..facts };
    check("changed", early(ScanReason::Invalid, fresh()), "invalid", "invalid");
    check("foreign key", early(ScanReason::UnknownKey, fresh()), "unknown_key", "unknown_key");
    check("other event", early(ScanReason::WrongEvent, fresh()), "wrong_event", "wrong_event");
    check("too early", early(ScanReason::NotYet, fresh()), "not_yet", "1 admit against not_yet");
    check("too late", early(ScanReason::Expired, fresh()), "expired", "1 admit against expired");
    check("too late and used", early(ScanReason::Expired, used(1)), "expired", "2 readmit against expired");
}

fn everything() -> Vec<ScanFacts<'static>> {
    const ELSEWHERE: &[AreaId] = &[AreaId::from_uuid(Uuid::from_u128(2))];
    let mut all = Vec::new();
    for early in std::iter::once(None).chain(ScanReason::ALL.iter().copied().map(Some)) {
        for ticket in TicketState::ALL {
            for (entries, inside) in [(0, false), (1, false), (1, true), (7, false), (7, true)] {
                for bits in 0..8_u8 {
                    for rule in EntryRule::ALL {
                        for direction in Direction::ALL {
                            all.push(ScanFacts {
                                rule: *rule,
                                direction: *direction,
                                gate_areas: if bits & 1 == 0 { &[] } else { ELSEWHERE },
                                refunded: bits & 2 != 0,
                                forced: bits & 4 != 0,
                                ticket: *ticket,
                                entries,
                                inside,
                                early,
                                ..fresh()
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
fn what_always_holds() {
    for facts in everything() {
        let decision = decide_scan(&facts);
        match decision {
            ScanDecision::Refused(reason) => {
                assert!(!facts.forced || reason.knows_no_ticket(), "{facts:?}: {decision:?}")
            }
            ScanDecision::Admitted { entry_no, ticket, conflict } => {
                assert!(conflict.is_none() || facts.forced, "only force admits against an objection: {facts:?}");
                if facts.direction == Direction::Entry {
                    assert_eq!(entry_no, facts.entries + 1, "an entry number is never used twice");
                    if let Some(event) = ticket {
                        assert!(crate::machine::Machine::next(facts.ticket, event).is_some(), "{facts:?}");
                    }
                    let again = facts.entries > 0 && (facts.rule == EntryRule::Single || facts.inside);
                    assert!(!again || conflict.is_some(), "a second admission is always reported: {facts:?}");
                } else {
                    assert!(entry_no == facts.entries && ticket.is_none());
                    assert!(entry_no > 0 || conflict.is_some(), "an exit without entry is always reported: {facts:?}");
                }
            }
        }
        let forced = decide_scan(&ScanFacts { forced: true, ..facts });
        let asked = decide_scan(&ScanFacts { forced: false, ..facts });
        match (asked, forced) {
            (ScanDecision::Refused(reason), ScanDecision::Admitted { conflict, .. }) => {
                assert_eq!(conflict, Some(reason))
            }
            (asked, forced) => assert_eq!(asked, forced, "force changes nothing where nothing speaks against it"),
        }
    }
}

#[test]
fn what_an_offline_device_is_told() {
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
fn the_texts_are_those_of_the_contract() {
    let texts: Vec<_> = ScanReason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(
        texts.join(", "),
        "invalid, unknown_key, wrong_event, not_yet, expired, revoked, refunded, already_used, wrong_gate, not_inside"
    );
    let texts: Vec<_> = SyncOutcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    assert_eq!(texts.join(", "), "accepted, duplicate_of, conflict, unknown");
}
