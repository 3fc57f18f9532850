//! Describes in a table how charges of each payment method settle, reply and call back.
//!
//! To add one: its name in `protocol::METHODS`, one row here, one line in README.md.

use voelgoed_domain::time::Timestamp;

use crate::config::Delays;
use crate::protocol::ChargeState;

/// When and how a charge settles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// On arrival.
    OnArrival(ChargeState),
    /// Captured after [`Delays::short`].
    AfterShortDelay,
    /// Captured after [`Delays::slow`].
    AfterSlowDelay,
    /// Captured [`Delays::late`] after `pay_by`.
    AfterPayBy,
}

/// How charges of one method behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodBehaviour {
    pub name: &'static str,
    pub settlement: Settlement,
    /// False: `POST /charges` gets no reply.
    pub replies: bool,
    /// Callbacks per settled charge, each with its own identifier.
    pub callbacks: usize,
    /// False: a cancellation changes nothing.
    pub is_cancellable: bool,
    /// False: the method's port refuses connections.
    pub is_reachable: bool,
}

const OK: MethodBehaviour = MethodBehaviour {
    name: "ok",
    settlement: Settlement::OnArrival(ChargeState::Captured),
    replies: true,
    callbacks: 1,
    is_cancellable: true,
    is_reachable: true,
};

/// One row per method.
pub const METHOD_BEHAVIOURS: &[MethodBehaviour] = &[
    OK,
    MethodBehaviour { name: "declined", settlement: Settlement::OnArrival(ChargeState::Declined), ..OK },
    MethodBehaviour { name: "slow", settlement: Settlement::AfterSlowDelay, ..OK },
    MethodBehaviour { name: "timeout", replies: false, ..OK },
    MethodBehaviour { name: "late", settlement: Settlement::AfterPayBy, is_cancellable: false, ..OK },
    MethodBehaviour { name: "twice", settlement: Settlement::AfterShortDelay, callbacks: 2, ..OK },
    MethodBehaviour { name: "lost", settlement: Settlement::AfterShortDelay, callbacks: 0, ..OK },
    MethodBehaviour { name: "down", is_reachable: false, ..OK },
];

/// The row of `method`; none where there is no such method.
pub fn behaviour_of(method: &str) -> Option<&'static MethodBehaviour> {
    METHOD_BEHAVIOURS.iter().find(|behaviour| behaviour.name == method)
}

impl MethodBehaviour {
    /// When a charge that arrives `now` is captured; none where it settles on arrival.
    pub fn capture_at(&self, now: Timestamp, pay_by: Timestamp, delays: &Delays) -> Option<Timestamp> {
        match self.settlement {
            Settlement::OnArrival(_) => None,
            Settlement::AfterShortDelay => Some(now.plus(delays.short)),
            Settlement::AfterSlowDelay => Some(now.plus(delays.slow)),
            Settlement::AfterPayBy => Some(pay_by.max(now).plus(delays.late)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::METHODS;

    #[test]
    fn published_method_names_equal_the_table() {
        let names: Vec<&str> = METHOD_BEHAVIOURS.iter().map(|behaviour| behaviour.name).collect();
        assert_eq!(names, METHODS);
    }

    #[test]
    fn late_method_captures_after_pay_by_at_any_arrival_time() {
        let delays = Delays::default();
        let late = behaviour_of("late").unwrap();
        let (early, pay_by, after) =
            (Timestamp::from_micros(10), Timestamp::from_micros(20), Timestamp::from_micros(30));
        assert_eq!(late.capture_at(early, pay_by, &delays), Some(pay_by.plus(delays.late)));
        assert_eq!(late.capture_at(after, pay_by, &delays), Some(after.plus(delays.late)));
    }
}
