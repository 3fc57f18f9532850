//! Handles the HTTP API, a file per resource: parses a DTO, calls one operation of a slice, and renders a DTO.
//!
//! Never: a rule, SQL, a store's key. To add a route: its handler with `#[utoipa::path]`, and its row in `routes()` of the same file.

pub mod analytics;
pub mod audit;
pub mod availability;
pub mod callbacks;
pub mod catalog;
pub mod devices;
pub mod events;
pub mod gates;
pub mod holds;
pub mod idempotent_response;
pub mod layouts;
pub mod ledger;
pub mod login;
pub mod members;
pub mod money;
pub mod openapi;
pub mod order_stream;
pub mod orders;
pub mod organizations_and_keys;
pub mod paging;
pub mod refunds;
pub mod sales;
pub mod scan_batch;
pub mod scans;
pub mod sse;
pub mod tickets;

use crate::routes::Route;

/// Every route of the API.
pub fn routes() -> Vec<Route> {
    [
        events::list::routes(),
        events::show::routes(),
        events::map::routes(),
        availability::routes(),
        holds::routes(),
        orders::routes(),
        order_stream::routes(),
        tickets::routes(),
        login::routes(),
        members::routes(),
        organizations_and_keys::routes(),
        audit::routes(),
        catalog::venues::routes(),
        catalog::events::routes(),
        catalog::ticket_types::routes(),
        catalog::price_rules::routes(),
        catalog::event_transitions::routes(),
        catalog::blocks::routes(),
        sales::routes(),
        refunds::routes(),
        analytics::routes(),
        ledger::routes(),
        gates::routes(),
        scans::routes(),
        devices::routes(),
        callbacks::routes(),
        scan_batch::routes(),
        layouts::routes(),
        layouts::import::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
