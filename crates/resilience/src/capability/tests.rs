//! The table's promises, its combinations, and its copy in the runbook.

use super::*;

const RUNBOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/runbooks/capabilities.md");

#[test]
fn rows_and_columns_stand_in_the_order_of_their_lists() {
    for (at, capability) in Capability::ALL.into_iter().enumerate() {
        assert_eq!(capability as usize, at);
    }
    for (at, mode) in Mode::ALL.into_iter().enumerate() {
        assert_eq!(mode as usize, at);
    }
}

#[test]
fn nothing_away_means_everything_works() {
    for capability in Capability::ALL {
        assert_eq!(answer(capability, &[]), Answer::Yes);
    }
}

#[test]
fn each_cell_is_the_answer_of_its_mode_alone() {
    for capability in Capability::ALL {
        for mode in Mode::ALL {
            assert_eq!(answer(capability, &[mode]), TABLE[capability as usize][mode as usize]);
        }
    }
}

#[test]
fn the_promises_behind_the_table_hold() {
    let refused = |capability, mode| matches!(answer(capability, &[mode]), Answer::Refused { .. });
    for mode in Mode::ALL {
        assert!(!refused(Capability::Browse, mode), "browsing never stops: {mode:?}");
        assert!(!refused(Capability::Dashboards, mode), "lists never stop: {mode:?}");
        let both_away = mode == Mode::WarmAndColdAway;
        assert_eq!(
            refused(Capability::Scan, mode),
            both_away,
            "a gate stops only where neither tier decides: {mode:?}"
        );
    }
    for mode in [Mode::ColdReplicaOnly, Mode::ColdGone, Mode::WarmAndColdAway] {
        for capability in [Capability::OrderAndPay, Capability::IssueAndRefund, Capability::Callbacks] {
            assert!(refused(capability, mode), "nothing is sold that cannot be kept: {capability:?} {mode:?}");
        }
    }
    assert!(refused(Capability::Hold, Mode::WarmAway) && refused(Capability::OrderAndPay, Mode::WarmAway));
    assert!(!refused(Capability::IssueAndRefund, Mode::WarmAway), "whoever paid gets tickets");
}

#[test]
fn one_more_thing_away_never_makes_an_answer_better() {
    for capability in Capability::ALL {
        for first in Mode::ALL {
            for second in Mode::ALL {
                let both = answer(capability, &[first, second]);
                assert!(rank(both) >= rank(answer(capability, &[first])), "{capability:?} {first:?} {second:?}");
                assert_eq!(rank(both), rank(answer(capability, &[second, first])));
            }
        }
    }
}

#[test]
fn the_runbook_shows_this_table() {
    let runbook = std::fs::read_to_string(RUNBOOK).unwrap();
    let table = markdown();
    assert!(runbook.contains(&table), "put this table into docs/runbooks/capabilities.md:\n\n{table}");
}
