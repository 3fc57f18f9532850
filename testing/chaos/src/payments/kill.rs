//! Names the kills that a scenario can have: which process, at which step of the purchases.

/// The process to kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillVictim {
    /// `voelgoed`, and with it the provider, which is its child.
    Server,
    /// The provider alone.
    Provider,
}

/// When to kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillStep {
    /// The places are held.
    Held,
    /// `POST /orders` is in flight.
    Sent,
    /// The orders are acknowledged.
    Answered,
    /// The provider has the charges and has not decided all.
    Pending,
    /// The provider has just captured `slow` and sends its callback.
    Callback,
    /// A refund is in flight.
    Refund,
}

/// A kill of one victim at one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kill {
    /// The process to kill.
    pub victim: KillVictim,
    /// When to kill it.
    pub step: KillStep,
}

impl Kill {
    /// All kills.
    pub fn all() -> impl Iterator<Item = Self> {
        let steps = [
            KillStep::Held,
            KillStep::Sent,
            KillStep::Answered,
            KillStep::Pending,
            KillStep::Callback,
            KillStep::Refund,
        ];
        [KillVictim::Server, KillVictim::Provider]
            .into_iter()
            .flat_map(move |victim| steps.into_iter().map(move |step| Self { victim, step }))
    }
}
