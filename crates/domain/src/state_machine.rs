//! Declares state machines as lists of allowed transitions (events, orders, payment attempts, refunds, tickets, places) and refuses every other transition.
//!
//! Never: a transition that is not in a list, or a state stored under another text than the one in its list (P1, P2, P6 depend on both).
//! To add a transition: one line in the list of the state machine, and its cell in the matrix of its test.

use std::fmt;

use crate::refusal::{Code, Refusal};

/// A state whose successors are given by a fixed table.
pub trait StateMachine: Copy + Eq + fmt::Debug + 'static {
    /// What happens to the entity, e.g. `cancel`.
    type Transition: Copy + Eq + fmt::Debug + 'static;

    /// The entity in error messages, e.g. `order`.
    const NAME: &'static str;
    /// Every state.
    const STATES: &'static [Self];
    /// Every transition.
    const TRANSITIONS: &'static [Self::Transition];
    /// The allowed combinations: (from, transition, to).
    const TABLE: &'static [(Self, Self::Transition, Self)];

    /// The stable text of the state in stores and for clients.
    fn state_text(self) -> &'static str;

    /// The stable text of a transition in messages and logs.
    fn transition_text(transition: Self::Transition) -> &'static str;

    /// The next state, or `None` where the transition is not allowed in this state.
    #[must_use]
    fn next(self, transition: Self::Transition) -> Option<Self> {
        Self::TABLE.iter().find(|(from, on, _)| *from == self && *on == transition).map(|(_, _, to)| *to)
    }

    /// The next state.
    ///
    /// # Errors
    /// [`Code::WrongState`] where the transition is not allowed in this state.
    fn after(self, transition: Self::Transition) -> Result<Self, Refusal> {
        self.next(transition).ok_or_else(|| {
            let (name, state, transition) = (Self::NAME, self.state_text(), Self::transition_text(transition));
            Refusal::new(
                Code::WrongState,
                format!("The {name} is `{state}`, which does not allow `{transition}`. Nothing was changed."),
            )
        })
    }

    /// The states in which `transition` is allowed, for the `where state in (…)` of a store.
    fn sources(transition: Self::Transition) -> impl Iterator<Item = Self> {
        Self::TABLE.iter().filter(move |(_, on, _)| *on == transition).map(|(from, _, _)| *from)
    }

    /// True where no transition leads to another state.
    #[must_use]
    fn is_final(self) -> bool {
        Self::TABLE.iter().all(|(from, _, to)| *from != self || *to == self)
    }
}

/// Declares a state machine: the state enum with texts, the transition enum with texts, and the table.
macro_rules! state_machine {
    (
        $(#[$state_doc:meta])*
        $name:literal $State:ident { $($(#[$s_doc:meta])* $s:ident = $s_text:literal,)+ }
        $(#[$transition_doc:meta])*
        $Transition:ident { $($(#[$t_doc:meta])* $t:ident = $t_text:literal,)+ }
        transitions { $($from:ident, $on:ident => $to:ident;)+ }
    ) => {
        $crate::text_enum::text_enum! {
            $(#[$state_doc])*
            $name $State { $($(#[$s_doc])* $s = $s_text,)+ }
        }

        $(#[$transition_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Transition { $($(#[$t_doc])* $t,)+ }

        impl $crate::state_machine::StateMachine for $State {
            type Transition = $Transition;
            const NAME: &'static str = $name;
            const STATES: &'static [Self] = Self::ALL;
            const TRANSITIONS: &'static [$Transition] = &[$($Transition::$t,)+];
            const TABLE: &'static [(Self, $Transition, Self)] = &[$((Self::$from, $Transition::$on, Self::$to),)+];

            fn state_text(self) -> &'static str {
                self.as_str()
            }

            fn transition_text(transition: $Transition) -> &'static str {
                match transition { $($Transition::$t => $t_text,)+ }
            }
        }
    };
}
pub(crate) use state_machine;

#[cfg(test)]
pub(crate) mod tests;
