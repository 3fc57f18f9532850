//! The payment methods: a table of how each behaves.
//!
//! To add one: its name in `protocol::METHODS`, one row here, one line in README.md.

use voelgoed_domain::time::Timestamp;

use super::config::Delays;
use crate::sandbox::protocol::ChargeState;

/// When and how a charge is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decides {
    /// On arrival.
    AtOnce(ChargeState),
    /// Captures after [`Delays::short`].
    Soon,
    /// Captures after [`Delays::slow`].
    Slowly,
    /// Captures [`Delays::late`] after `pay_by`.
    Late,
}

/// How a method behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// The shop's word for it.
    pub name: &'static str,
    /// When and how its charges are decided.
    pub decides: Decides,
    /// False: `POST /charges` is never answered.
    pub answers: bool,
    /// How many callbacks tell of the decision, each with an identifier of its own.
    pub callbacks: usize,
    /// False: a cancellation changes nothing.
    pub obeys_cancel: bool,
    /// False: its port refuses connections.
    pub listens: bool,
}

const PLAIN: Behaviour = Behaviour {
    name: "ok",
    decides: Decides::AtOnce(ChargeState::Captured),
    answers: true,
    callbacks: 1,
    obeys_cancel: true,
    listens: true,
};

/// Every method there is.
pub const BEHAVIOURS: &[Behaviour] = &[
    PLAIN,
    Behaviour { name: "declined", decides: Decides::AtOnce(ChargeState::Declined), ..PLAIN },
    Behaviour { name: "slow", decides: Decides::Slowly, ..PLAIN },
    Behaviour { name: "timeout", answers: false, ..PLAIN },
    Behaviour { name: "late", decides: Decides::Late, obeys_cancel: false, ..PLAIN },
    Behaviour { name: "twice", decides: Decides::Soon, callbacks: 2, ..PLAIN },
    Behaviour { name: "lost", decides: Decides::Soon, callbacks: 0, ..PLAIN },
    Behaviour { name: "down", listens: false, ..PLAIN },
];

/// How `method` behaves; none where there is no such method.
pub fn behaviour(method: &str) -> Option<&'static Behaviour> {
    BEHAVIOURS.iter().find(|behaviour| behaviour.name == method)
}

impl Behaviour {
    /// When a charge that arrives `now` is captured; none where it is decided at once.
    pub fn capture_at(&self, now: Timestamp, pay_by: Timestamp, delays: &Delays) -> Option<Timestamp> {
        match self.decides {
            Decides::AtOnce(_) => None,
            Decides::Soon => Some(now.plus(delays.short)),
            Decides::Slowly => Some(now.plus(delays.slow)),
            Decides::Late => Some(pay_by.max(now).plus(delays.late)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::protocol::METHODS;

    #[test]
    fn the_published_names_and_the_table_agree() {
        let names: Vec<&str> = BEHAVIOURS.iter().map(|behaviour| behaviour.name).collect();
        assert_eq!(names, METHODS);
    }

    #[test]
    fn late_is_after_pay_by_whenever_it_arrives() {
        let delays = Delays::default();
        let late = behaviour("late").unwrap();
        let (early, pay_by, after) =
            (Timestamp::from_micros(10), Timestamp::from_micros(20), Timestamp::from_micros(30));
        assert_eq!(late.capture_at(early, pay_by, &delays), Some(pay_by.plus(delays.late)));
        assert_eq!(late.capture_at(after, pay_by, &delays), Some(after.plus(delays.late)));
    }
}
