//! What is for sale: venues, layouts with their areas and seats, events, ticket types, price rules, fees and tax.

pub mod admission;
pub mod bounds;
pub mod demo_plans;
pub mod event;
pub mod import;
pub mod layout;
pub mod listing;
pub mod natural;
pub mod price_rule;
pub mod rounding;
pub mod row_order;
pub mod ticket_type;
pub mod wording;
