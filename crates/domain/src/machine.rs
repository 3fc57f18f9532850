//! State machines as data: states, events, and the list of what follows what. Orders, payment attempts, refunds, tickets and places are each one list.
//!
//! Never: a transition that is not in a list, a state kept under another text than the one given here (P1, P2, P6 lean on this).
//! To add a transition: one line in the machine's list, and its cell in the matrix that the machine's test spells out.

use std::fmt;

use crate::refusal::{Code, Refusal};

/// A thing whose states follow each other by a fixed table.
pub trait Machine: Copy + Eq + fmt::Debug + 'static {
    /// What may happen to it.
    type Event: Copy + Eq + fmt::Debug + 'static;

    /// What a person calls the thing, e.g. `order`.
    const NAME: &'static str;
    /// Every state.
    const STATES: &'static [Self];
    /// Every event.
    const EVENTS: &'static [Self::Event];
    /// Every allowed transition: from this state, on this event, to that state.
    const TRANSITIONS: &'static [(Self, Self::Event, Self)];

    /// The stable text of the state, as stores and clients know it.
    fn state_text(self) -> &'static str;

    /// The stable text of an event, for people and logs.
    fn event_text(event: Self::Event) -> &'static str;

    /// The state that follows, or none where the event is not allowed here.
    #[must_use]
    fn next(self, event: Self::Event) -> Option<Self> {
        Self::TRANSITIONS.iter().find(|(from, on, _)| *from == self && *on == event).map(|(_, _, to)| *to)
    }

    /// The state that follows.
    ///
    /// # Errors
    /// [`Code::WrongState`] where the event is not allowed here.
    fn after(self, event: Self::Event) -> Result<Self, Refusal> {
        self.next(event).ok_or_else(|| {
            let (name, state, event) = (Self::NAME, self.state_text(), Self::event_text(event));
            Refusal::new(Code::WrongState, format!("The {name} is `{state}`, which does not allow `{event}`."))
        })
    }

    /// The states from which `event` leads to another, for a store's `where state in (…)`.
    fn sources(event: Self::Event) -> impl Iterator<Item = Self> {
        Self::TRANSITIONS.iter().filter(move |(_, on, _)| *on == event).map(|(from, _, _)| *from)
    }

    /// True where nothing leads anywhere else.
    #[must_use]
    fn is_final(self) -> bool {
        Self::TRANSITIONS.iter().all(|(from, _, to)| *from != self || *to == self)
    }
}

/// Declares a machine: its state enum with texts, its event enum with texts, and its transitions.
macro_rules! machine {
    (
        $(#[$state_doc:meta])*
        $name:literal $State:ident { $($(#[$s_doc:meta])* $s:ident = $s_text:literal,)+ }
        $(#[$event_doc:meta])*
        $Event:ident { $($(#[$e_doc:meta])* $e:ident = $e_text:literal,)+ }
        transitions { $($from:ident, $on:ident => $to:ident;)+ }
    ) => {
        $crate::named::named! {
            $(#[$state_doc])*
            $name $State { $($(#[$s_doc])* $s = $s_text,)+ }
        }

        $(#[$event_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Event { $($(#[$e_doc])* $e,)+ }

        impl $crate::machine::Machine for $State {
            type Event = $Event;
            const NAME: &'static str = $name;
            const STATES: &'static [Self] = Self::ALL;
            const EVENTS: &'static [$Event] = &[$($Event::$e,)+];
            const TRANSITIONS: &'static [(Self, $Event, Self)] = &[$((Self::$from, $Event::$on, Self::$to),)+];

            fn state_text(self) -> &'static str {
                self.as_str()
            }

            fn event_text(event: $Event) -> &'static str {
                match event { $($Event::$e => $e_text,)+ }
            }
        }
    };
}
pub(crate) use machine;

#[cfg(test)]
pub(crate) mod tests;
