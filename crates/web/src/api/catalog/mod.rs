//! What organizers make and do of events, a file per thing. To add one: its file, and its routes in `api::other_routes`.

pub mod acts;
pub mod blocks;
pub mod events;
pub mod price_rules;
pub mod ticket_types;
pub mod venues;
