//! What every state machine must satisfy, whatever its list says, and the matrix by which each one's test spells its list out.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Machine;
use crate::checkout::order::OrderState;
use crate::payments::attempt::AttemptState;
use crate::payments::refund::RefundState;
use crate::refusal::Code;
use crate::scanning::ticket::TicketState;
use crate::ticketing::place::PlaceState;

/// The whole product of states and events, one line per state: `state: event→state …`; pairs that are not named are refused.
pub(crate) fn matrix<M: Machine>() -> String {
    let mut text = String::new();
    for state in M::STATES {
        write!(text, "{}:", state.state_text()).unwrap();
        for event in M::EVENTS {
            if let Ok(next) = state.after(*event) {
                write!(text, " {}→{}", M::event_text(*event), next.state_text()).unwrap();
            }
        }
        text.push('\n');
    }
    text
}

/// Asserts that the matrix is exactly `expected`, whose indentation is ignored.
#[track_caller]
pub(crate) fn assert_matrix<M: Machine>(expected: &str) {
    let expected: String = expected.trim().lines().map(|line| format!("{}\n", line.trim())).collect();
    assert_eq!(matrix::<M>(), expected);
}

fn lawful<M: Machine>(initial: M) {
    let texts: BTreeSet<_> = M::STATES.iter().map(|state| state.state_text()).collect();
    assert_eq!(texts.len(), M::STATES.len(), "{}: two states share a text", M::NAME);
    for state in M::STATES {
        for event in M::EVENTS {
            let named: Vec<_> =
                M::TRANSITIONS.iter().filter(|(from, on, _)| from == state && on == event).map(|t| t.2).collect();
            assert!(named.len() <= 1, "{} {state:?} {event:?}: more than one successor", M::NAME);
            match (state.after(*event), named.first()) {
                (Ok(next), Some(expected)) => assert_eq!(next, *expected),
                (Err(refusal), None) => {
                    assert_eq!(refusal.code, Code::WrongState);
                    assert!(
                        refusal.detail.contains(state.state_text()) && refusal.detail.contains(M::event_text(*event))
                    );
                }
                (got, listed) => panic!("{} {state:?} {event:?}: {got:?} but the list says {listed:?}", M::NAME),
            }
            assert_eq!(M::sources(*event).any(|from| from == *state), state.next(*event).is_some());
        }
    }
    for event in M::EVENTS {
        assert!(M::sources(*event).next().is_some(), "{}: {event:?} never applies", M::NAME);
    }
    let mut reached = vec![initial];
    let mut seen = 0;
    while seen < reached.len() {
        for event in M::EVENTS {
            if let Some(next) = reached[seen].next(*event).filter(|next| !reached.contains(next)) {
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
fn every_machine_is_lawful() {
    lawful(OrderState::AwaitingPayment);
    lawful(AttemptState::Created);
    lawful(RefundState::Pending);
    lawful(TicketState::Valid);
    lawful(PlaceState::Free);
}

#[test]
fn final_states_are_known() {
    fn finals<M: Machine>() -> Vec<&'static str> {
        M::STATES.iter().filter(|state| state.is_final()).map(|state| state.state_text()).collect()
    }
    assert_eq!(finals::<OrderState>(), ["cancelled", "refunded"]);
    assert_eq!(finals::<AttemptState>(), ["captured"]);
    assert_eq!(finals::<RefundState>(), ["done"]);
    assert_eq!(finals::<TicketState>(), ["revoked"]);
    assert_eq!(finals::<PlaceState>(), Vec::<&str>::new());
}
