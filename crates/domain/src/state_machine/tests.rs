//! Checks every state machine for unique texts, unambiguous transitions and reachable states, and prints its transitions as a matrix for its own test.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::StateMachine;
use crate::checkout::order::OrderState;
use crate::payments::attempt::AttemptState;
use crate::payments::refund::RefundState;
use crate::refusal::Code;
use crate::scanning::ticket::TicketState;
use crate::ticketing::place::PlaceState;

/// The allowed transitions, one line per state: `state: transition→state …`; every other combination is refused.
pub(crate) fn matrix<M: StateMachine>() -> String {
    let mut text = String::new();
    for state in M::STATES {
        write!(text, "{}:", state.state_text()).unwrap();
        for transition in M::TRANSITIONS {
            if let Ok(next) = state.after(*transition) {
                write!(text, " {}→{}", M::transition_text(*transition), next.state_text()).unwrap();
            }
        }
        text.push('\n');
    }
    text
}

/// Asserts that the matrix equals `expected` without its indentation.
#[track_caller]
pub(crate) fn assert_matrix<M: StateMachine>(expected: &str) {
    let expected: String = expected.trim().lines().map(|line| format!("{}\n", line.trim())).collect();
    assert_eq!(matrix::<M>(), expected);
}

fn assert_well_formed<M: StateMachine>(initial: M) {
    let texts: BTreeSet<_> = M::STATES.iter().map(|state| state.state_text()).collect();
    assert_eq!(texts.len(), M::STATES.len(), "{}: two states share a text", M::NAME);
    for state in M::STATES {
        for transition in M::TRANSITIONS {
            let named: Vec<_> =
                M::TABLE.iter().filter(|(from, on, _)| from == state && on == transition).map(|t| t.2).collect();
            assert!(named.len() <= 1, "{} {state:?} {transition:?}: more than one next state", M::NAME);
            match (state.after(*transition), named.first()) {
                (Ok(next), Some(expected)) => assert_eq!(next, *expected),
                (Err(refusal), None) => {
                    assert_eq!(refusal.code, Code::WrongState);
                    assert!(
                        refusal.detail.contains(state.state_text())
                            && refusal.detail.contains(M::transition_text(*transition))
                    );
                }
                (got, listed) => panic!("{} {state:?} {transition:?}: {got:?} but the list says {listed:?}", M::NAME),
            }
            assert_eq!(M::sources(*transition).any(|from| from == *state), state.next(*transition).is_some());
        }
    }
    for transition in M::TRANSITIONS {
        assert!(M::sources(*transition).next().is_some(), "{}: {transition:?} never applies", M::NAME);
    }
    let mut reached = vec![initial];
    let mut seen = 0;
    while seen < reached.len() {
        for transition in M::TRANSITIONS {
            if let Some(next) = reached[seen].next(*transition).filter(|next| !reached.contains(next)) {
                reached.push(next);
            }
        }
        seen += 1;
    }
    for state in M::STATES {
        assert!(reached.contains(state), "{}: {state:?} cannot be reached from {initial:?}", M::NAME);
    }
}

#[test]
fn every_state_machine_is_unambiguous_and_reaches_all_states() {
    assert_well_formed(OrderState::AwaitingPayment);
    assert_well_formed(AttemptState::Created);
    assert_well_formed(RefundState::Pending);
    assert_well_formed(TicketState::Valid);
    assert_well_formed(PlaceState::Free);
}

#[test]
fn final_states_are_exactly_these() {
    fn finals<M: StateMachine>() -> Vec<&'static str> {
        M::STATES.iter().filter(|state| state.is_final()).map(|state| state.state_text()).collect()
    }
    assert_eq!(finals::<OrderState>(), ["cancelled", "refunded"]);
    assert_eq!(finals::<AttemptState>(), ["captured"]);
    assert_eq!(finals::<RefundState>(), ["done"]);
    assert_eq!(finals::<TicketState>(), ["revoked"]);
    assert_eq!(finals::<PlaceState>(), Vec::<&str>::new());
}
