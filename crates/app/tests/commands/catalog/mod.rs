//! Covers venues, layouts, events, ticket types and price rules, and the listings that a node caches.

mod change_listing;
mod create_catalog;
mod racing_catalog;
mod set_layout_flags;
