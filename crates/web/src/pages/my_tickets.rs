//! Shows a session its holds and orders at `/mine`, so that a closed tab loses nothing.
//!
//! Never: names or addresses of buyers; the next user of the browser sees this page until the session is forgotten.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures::future::join_all;
use voelgoed_app::checkout::ports::Order;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::checkout::order::OrderState;

use super::form::Form;
use super::formatting::{Moment, money};
use super::page_layout::{PageLayout, html_page};
use super::reserved_holds::{self, ReservedHolds, redirect_to_my_tickets};
use crate::extract::{KnownSession, set_session_cookie};
use crate::problem::HandlerResult;
use crate::state::Web;

/// The newest orders are listed.
const ORDERS_MAX: u32 = 50;

struct OrderView {
    href: String,
    event_name: String,
    starts: Moment,
    made: Moment,
    total: String,
    words: String,
    kind: &'static str,
}

#[derive(Template)]
#[template(path = "shop/my_tickets.html")]
struct MyTicketsPage {
    page_layout: PageLayout,
    reserved: ReservedHolds,
    orders: Vec<OrderView>,
    /// True if the orders could not be read.
    orders_unknown: bool,
}

/// Shows the page.
pub async fn show(State(web): State<Web>, KnownSession(session): KnownSession) -> HandlerResult<Response> {
    let mut template = MyTicketsPage {
        page_layout: PageLayout::new("My tickets"),
        reserved: ReservedHolds::default(),
        orders: Vec::new(),
        orders_unknown: false,
    };
    if let Some(session) = session {
        let (reserved, orders) = futures::join!(
            reserved_holds::reserved_by(&web, session, None),
            web.slices.checkout.orders.orders_of_session(session, ORDERS_MAX)
        );
        template.reserved = reserved;
        // A hold that became an order is listed among the orders.
        template.reserved.holds.retain(|hold| !hold.ordered);
        match orders {
            Ok(orders) => template.orders = order_views(&web, orders).await,
            Err(fault) => {
                tracing::info!(%fault, slice = "checkout", "the orders of a session could not be read");
                template.orders_unknown = true;
            }
        }
    }
    Ok(html_page(StatusCode::OK, &template))
}

/// Ends the session in this browser; its orders stay reachable by their addresses.
pub async fn forget(State(web): State<Web>, _form: Form) -> Response {
    let mut response = redirect_to_my_tickets();
    set_session_cookie(&web, &mut response, "", 0);
    response
}

async fn order_views(web: &Web, orders: Vec<Order>) -> Vec<OrderView> {
    let scope = |order: &Order| EventScope { organization: order.organization, event: order.event };
    let scopes: BTreeMap<_, _> = orders.iter().map(|order| (order.event, scope(order))).collect();
    let listings = join_all(
        scopes
            .into_values()
            .map(|scope| async move { Some((scope.event, web.slices.catalog.listings.listing(scope).await.ok()?)) }),
    );
    let listings: BTreeMap<_, _> = listings.await.into_iter().flatten().collect();
    orders
        .into_iter()
        .map(|order| {
            let event = listings.get(&order.event).map(|listing| &listing.event);
            let timezone = event.map_or("UTC", |event| event.timezone.as_str());
            let token = web.slices.context.tokens.mint(TokenKind::Order, scope(&order), order.id);
            let (words, kind) = order_state_text(&order, timezone);
            OrderView {
                href: format!("/orders/{}?token={token}", order.id),
                event_name: event.map_or_else(|| "Your order".to_owned(), |event| event.name.clone()),
                starts: Moment::new(event.map_or(order.created_at, |event| event.starts_at), timezone),
                made: Moment::new(order.created_at, timezone),
                total: money(order.total),
                words,
                kind,
            }
        })
        .collect()
}

fn order_state_text(order: &Order, timezone: &str) -> (String, &'static str) {
    match order.state {
        OrderState::AwaitingPayment => {
            let until = Moment::new(order.pay_by, timezone);
            (format!("Waiting for payment until {} {}", until.clock(), until.zone()), "soon")
        }
        OrderState::Paid => ("Paid: tickets inside".to_owned(), "on"),
        OrderState::PartiallyRefunded => ("Partly paid back".to_owned(), "on"),
        OrderState::Refunded => ("Paid back".to_owned(), "over"),
        OrderState::Cancelled => ("Cancelled".to_owned(), "over"),
        OrderState::Expired => ("Time to pay ran out".to_owned(), "over"),
    }
}
