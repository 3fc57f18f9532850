//! Lets organizers manage venues, events, ticket types, price rules and blocked places, a file per resource.

pub mod blocks;
pub mod event_transitions;
pub mod events;
pub mod price_rules;
pub mod ticket_types;
pub mod venues;
