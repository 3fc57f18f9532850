//! What is for sale: venues, layouts, events, ticket types, price rules.

pub mod change_event;
pub mod create_event;
pub mod create_layout;
pub mod create_price_rule;
pub mod create_ticket_type;
pub mod create_venue;
pub mod delete_event;
pub mod listings;
pub mod move_event;
pub mod ports;
pub mod set_layout_flags;
