//! The page of a buyer's session: what it has reserved, and its orders with their tickets, so that a closed tab loses nothing.
//!
//! Never: names or addresses of buyers; whoever uses the browser next sees this page until it is told to forget.

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
use super::own::{self, Own, to_mine};
use super::shell::{Shell, page};
use super::text::{Moment, money};
use crate::extract::{KnownSession, set_session_cookie};
use crate::problem::Answer;
use crate::state::Web;

/// The orders on the page, newest first.
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
#[template(path = "shop/mine.html")]
struct MinePage {
    shell: Shell,
    own: Own,
    orders: Vec<OrderView>,
    /// True where orders could not be looked up.
    orders_unknown: bool,
}

/// The page.
pub async fn show(State(web): State<Web>, KnownSession(session): KnownSession) -> Answer<Response> {
    let mut template =
        MinePage { shell: Shell::new("My tickets"), own: Own::default(), orders: Vec::new(), orders_unknown: false };
    if let Some(session) = session {
        let (own, orders) = futures::join!(
            own::of_session(&web, session, None),
            web.platform.orders.orders_of_session(session, ORDERS_MAX)
        );
        template.own = own;
        // An order is listed as such.
        template.own.holds.retain(|hold| !hold.ordered);
        match orders {
            Ok(orders) => template.orders = order_views(&web, orders).await,
            Err(fault) => {
                tracing::info!(%fault, slice = "checkout", "the orders of a session could not be read");
                template.orders_unknown = true;
            }
        }
    }
    Ok(page(StatusCode::OK, &template))
}

/// Ends the session in this browser; its orders stay reachable by their own addresses.
pub async fn forget(State(web): State<Web>, _form: Form) -> Response {
    let mut response = to_mine();
    set_session_cookie(&web, &mut response, "", 0);
    response
}

async fn order_views(web: &Web, orders: Vec<Order>) -> Vec<OrderView> {
    let scope = |order: &Order| EventScope { organization: order.organization, event: order.event };
    let scopes: BTreeMap<_, _> = orders.iter().map(|order| (order.event, scope(order))).collect();
    let listings = join_all(
        scopes
            .into_values()
            .map(|scope| async move { Some((scope.event, web.platform.listings.listing(scope).await.ok()?)) }),
    );
    let listings: BTreeMap<_, _> = listings.await.into_iter().flatten().collect();
    orders
        .into_iter()
        .map(|order| {
            let event = listings.get(&order.event).map(|listing| &listing.event);
            let timezone = event.map_or("UTC", |event| event.timezone.as_str());
            let token = web.platform.tokens.mint(TokenKind::Order, scope(&order), order.id);
            let (words, kind) = words(&order, timezone);
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

fn words(order: &Order, timezone: &str) -> (String, &'static str) {
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
