//! Checks the promises that the table must keep, the combination of modes, and the table's copy in the runbook.

use super::*;

const RUNBOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/runbooks/capabilities.md");

#[test]
fn rows_and_columns_are_in_the_order_of_their_enums() {
    for (at, capability) in Capability::ALL.into_iter().enumerate() {
        assert_eq!(capability as usize, at);
    }
    for (at, mode) in FailureMode::ALL.into_iter().enumerate() {
        assert_eq!(mode as usize, at);
    }
}

#[test]
fn every_capability_works_while_every_dependency_is_up() {
    for capability in Capability::ALL {
        assert_eq!(worst_answer(capability, &[]), CapabilityAnswer::Yes);
    }
}

#[test]
fn single_mode_answers_as_its_cell_of_the_table() {
    for capability in Capability::ALL {
        for mode in FailureMode::ALL {
            assert_eq!(worst_answer(capability, &[mode]), TABLE[capability as usize][mode as usize]);
        }
    }
}

#[test]
fn browsing_continues_and_sales_stop_while_cold_cannot_write() {
    let refused = |capability, mode| matches!(worst_answer(capability, &[mode]), CapabilityAnswer::Refused { .. });
    for mode in FailureMode::ALL {
        assert!(!refused(Capability::Browse, mode), "browsing never stops: {mode:?}");
        assert!(!refused(Capability::Dashboards, mode), "lists never stop: {mode:?}");
        let both_unavailable = mode == FailureMode::WarmAndColdUnavailable;
        assert_eq!(
            refused(Capability::Scan, mode),
            both_unavailable,
            "a gate stops only if neither tier can decide: {mode:?}"
        );
    }
    for mode in [FailureMode::ColdReplicaOnly, FailureMode::ColdUnavailable, FailureMode::WarmAndColdUnavailable] {
        for capability in [Capability::OrderAndPay, Capability::IssueAndRefund, Capability::Callbacks] {
            assert!(refused(capability, mode), "no sale without a durable record: {capability:?} {mode:?}");
        }
    }
    assert!(
        refused(Capability::Hold, FailureMode::WarmUnavailable)
            && refused(Capability::OrderAndPay, FailureMode::WarmUnavailable)
    );
    assert!(!refused(Capability::IssueAndRefund, FailureMode::WarmUnavailable), "a paid order gets its tickets");
}

#[test]
fn second_failure_mode_never_improves_an_answer() {
    for capability in Capability::ALL {
        for first in FailureMode::ALL {
            for second in FailureMode::ALL {
                let both = worst_answer(capability, &[first, second]);
                assert!(rank(both) >= rank(worst_answer(capability, &[first])), "{capability:?} {first:?} {second:?}");
                assert_eq!(rank(both), rank(worst_answer(capability, &[second, first])));
            }
        }
    }
}

#[test]
fn runbook_contains_this_table() {
    let runbook = std::fs::read_to_string(RUNBOOK).unwrap();
    let table = runbook_table();
    assert!(runbook.contains(&table), "put this table into docs/runbooks/capabilities.md:\n\n{table}");
}
