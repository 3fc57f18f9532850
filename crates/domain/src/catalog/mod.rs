//! Defines what is for sale: layouts with areas and seats, events, ticket types, price rules, fees, tax and admission windows.

pub mod admission_window;
pub mod demo_plans;
pub mod event;
pub mod import;
pub mod layout;
pub mod listing;
pub mod natural_order;
pub mod number_ranges;
pub mod price_rule;
pub mod rounding;
pub mod seat_order;
pub mod ticket_type;
