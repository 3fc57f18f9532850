//! The HTTP API, a module per slice: DTOs of their own, parsed, handed to one command, and rendered.
//!
//! Never: a rule, SQL, a store's key. To add a route: its handler with `#[utoipa::path]`, a line in [`routes`], a line in `access.rs`.

pub mod accounts;
pub mod analytics;
pub mod audit;
pub mod availability;
pub mod callbacks;
pub mod catalog;
pub mod created;
pub mod devices;
pub mod events;
pub mod gates;
pub mod holds;
pub mod layouts;
pub mod ledger;
pub mod login;
pub mod members;
pub mod money;
pub mod openapi;
pub mod order_stream;
pub mod orders;
pub mod paging;
pub mod refunds;
pub mod sales;
pub mod scan_batch;
pub mod scans;
pub mod sse;
pub mod tickets;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Web;

/// Routes of buyers; each request has a session.
pub fn buyer_routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(events::list::list))
        .routes(routes!(events::show::show))
        .routes(routes!(events::map::map))
        .routes(routes!(availability::availability))
        .routes(routes!(availability::stream))
        .routes(routes!(holds::create))
        .routes(routes!(holds::show, holds::change, holds::release))
        .routes(routes!(orders::create))
        .routes(routes!(orders::show))
        .routes(routes!(orders::pay_again))
        .routes(routes!(order_stream::stream))
        .routes(routes!(tickets::image))
}

/// Routes of organizers, devices and providers.
pub fn other_routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(login::log_in))
        .routes(routes!(login::log_out))
        .routes(routes!(members::create_member, members::list_members))
        .routes(routes!(members::show_member, members::change_member))
        .routes(routes!(members::reset_password))
        .routes(routes!(members::change_own_password))
        .routes(routes!(members::list_logins, members::end_logins))
        .routes(routes!(members::end_login))
        .routes(routes!(accounts::create_api_key, accounts::list_api_keys))
        .routes(routes!(accounts::revoke_api_key))
        .routes(routes!(audit::list))
        .routes(routes!(catalog::venues::create_venue, catalog::venues::list_venues))
        .routes(routes!(catalog::events::create_event))
        .routes(routes!(catalog::events::change_event, catalog::events::delete_event))
        .routes(routes!(catalog::events::list_own_events))
        .routes(routes!(catalog::ticket_types::create_ticket_type))
        .routes(routes!(catalog::ticket_types::retire_ticket_type))
        .routes(routes!(catalog::price_rules::create_price_rule))
        .routes(routes!(catalog::acts::publish))
        .routes(routes!(catalog::acts::pause))
        .routes(routes!(catalog::acts::open))
        .routes(routes!(catalog::acts::close))
        .routes(routes!(catalog::blocks::block, catalog::blocks::unblock))
        .routes(routes!(sales::list_orders))
        .routes(routes!(sales::cancel_order))
        .routes(routes!(refunds::create))
        .routes(routes!(refunds::list))
        .routes(routes!(refunds::retry))
        .routes(routes!(refunds::settle))
        .routes(routes!(analytics::funnel))
        .routes(routes!(ledger::accounts))
        .routes(routes!(ledger::entries))
        .routes(routes!(gates::create_gate, gates::list_gates))
        .routes(routes!(gates::create_device, gates::list_devices))
        .routes(routes!(gates::revoke_device))
        .routes(routes!(scans::list))
        .routes(routes!(scans::conflicts))
        .routes(routes!(devices::pair))
        .routes(routes!(devices::package))
        .routes(routes!(devices::stream))
        .routes(routes!(callbacks::callback))
}

/// Routes that take what a scanner read.
pub fn scan_routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new().routes(routes!(scans::create)).routes(routes!(scan_batch::batch))
}

/// Routes of the operator, on the internal listener only.
pub fn operator_routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new().routes(routes!(accounts::create_organization))
}

/// Routes that take whole seating plans, and so larger bodies.
pub fn plan_routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(layouts::create, layouts::list))
        .routes(routes!(layouts::show))
        .routes(routes!(layouts::set_flags))
        .routes(routes!(layouts::import))
}
