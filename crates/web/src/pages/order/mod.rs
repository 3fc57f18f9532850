//! An order, followed live: what happens to its payment, in words; its tickets once it is paid; what went back.

pub mod pay_again;
mod words;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use voelgoed_app::checkout::ports::OrderDetail;
use voelgoed_app::checkout::read_order::scope_of_token;
use voelgoed_app::checkout::view_order::view_order;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, SessionId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::entry::EntryRule;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_resilience::{Answer as Answered, Capability, Degradation};

use self::words::{Told, fingerprint, told};
use super::form::Query;
use super::hold::methods::{Method, methods};
use super::hold::tax_words;
use super::less::is_away;
use super::list::cover;
use super::shell::{Shell, page};
use super::text::{Moment, money};
use super::turned_away::with_way_back;
use crate::extract::{KnownSession, PathId};
use crate::problem::{Answer, Failure};
use crate::state::Web;

/// An order is looked for among the newest of a session.
const ORDERS_OF_SESSION_MAX: u32 = 200;

struct LineView {
    label: String,
    ticket_type: String,
    price: String,
}

struct TicketView {
    id: String,
    label: String,
    ticket_type: String,
    state: &'static str,
    admits: bool,
    revoked: bool,
}

struct RefundView {
    amount: String,
    words: &'static str,
    reason: String,
}

#[derive(Template)]
#[template(path = "checkout/order.html")]
struct OrderPage {
    shell: Shell,
    id: String,
    short_id: String,
    token: String,
    event: String,
    event_name: String,
    venue: String,
    address: String,
    starts: Moment,
    doors: Option<Moment>,
    cover: u8,
    made: Moment,
    buyer: String,
    email: String,
    told: Told,
    fingerprint: String,
    lines: Vec<LineView>,
    fees: Option<String>,
    tax: Option<String>,
    total: String,
    tickets: Vec<TicketView>,
    refunds: Vec<RefundView>,
    methods: Vec<Method>,
    key: String,
    method_error: Option<String>,
    notice: Option<String>,
    /// Where an order that is over leads to.
    again: Option<String>,
}

/// The page; with its token, or for the session that made the order.
pub async fn show(
    State(web): State<Web>,
    PathId(order): PathId<OrderId>,
    KnownSession(session): KnownSession,
    Query(form): Query,
) -> Answer<Response> {
    let scope = match form.get("token") {
        Some(token) => scope_of_token(&web.platform, order, token).await?,
        None => match scope_of_session(&web, session, order).await {
            Ok(scope) => scope,
            Err(failure) => return Ok(with_way_back(failure, "/mine".to_owned(), "See your orders")),
        },
    };
    match render(&web, scope, order, StatusCode::OK, None).await {
        Err(Failure(error)) if is_away(&error) => {
            let way = format!("/orders/{order}?token={}", web.platform.tokens.mint(TokenKind::Order, scope, order));
            Ok(with_way_back(Failure(error), way, "Look at your order again"))
        }
        shown => shown,
    }
}

/// The event of an order that this session made.
async fn scope_of_session(web: &Web, session: Option<SessionId>, order: OrderId) -> Answer<EventScope> {
    let session = session.ok_or_else(Refusal::not_found)?;
    let orders = web.platform.orders.orders_of_session(session, ORDERS_OF_SESSION_MAX).await?;
    let found = orders.iter().find(|found| found.id == order).ok_or_else(Refusal::not_found)?;
    Ok(EventScope { organization: found.organization, event: found.event })
}

/// The page with a status and a notice.
pub async fn render(
    web: &Web,
    scope: EventScope,
    order: OrderId,
    status: StatusCode,
    notice: Option<String>,
) -> Answer<Response> {
    let detail = view_order(&web.platform, scope.organization, order).await?;
    let listing = web.platform.listings.listing(scope).await?;
    let venue = web.platform.listings.venue(scope).await?;
    let event = &listing.event;
    let now = web.platform.environment.now();
    let OrderDetail { order, lines, .. } = &*detail;
    let in_currency = |amount| Money::new(amount, order.total.currency);
    let id = order.id.to_string();
    let template = OrderPage {
        shell: Shell::new(format!("Your order · {}", event.name)),
        short_id: id.get(id.len().saturating_sub(8)..).unwrap_or_default().to_uppercase(),
        id,
        token: web.platform.tokens.mint(TokenKind::Order, scope, order.id),
        event: event.id.to_string(),
        event_name: event.name.clone(),
        venue: venue.name.clone(),
        address: venue.address.clone(),
        starts: Moment::new(event.starts_at, &event.timezone),
        doors: event.admission.doors_at.map(|at| Moment::new(at, &event.timezone)),
        cover: cover(event),
        made: Moment::new(order.created_at, &event.timezone),
        buyer: order.buyer.name.clone(),
        email: order.buyer.email.clone(),
        told: told(&detail, &event.timezone, now, payments(web)),
        fingerprint: fingerprint(&detail),
        lines: lines
            .iter()
            .map(|line| LineView {
                label: line.label.clone(),
                ticket_type: line.ticket_type_name.clone(),
                price: money(in_currency(line.price)),
            })
            .collect(),
        fees: (!order.fees.is_zero()).then(|| money(order.fees)),
        tax: (!order.tax.is_zero()).then(|| tax_words(&money(order.tax), event.tax.basis_points, event.tax.included)),
        total: money(order.total),
        tickets: tickets(&detail, listing.event.entry_rule),
        refunds: refunds(&detail),
        methods: methods(&web.platform.gateways),
        key: web.platform.environment.uuid().simple().to_string(),
        method_error: None,
        notice,
        again: again(&detail, &listing),
    };
    Ok(page(status, &template))
}

/// The event with the same seats chosen, where nothing came of the order.
fn again(detail: &OrderDetail, listing: &Listing) -> Option<String> {
    let is_over = matches!(detail.order.state, OrderState::Expired | OrderState::Cancelled | OrderState::Refunded);
    let seats = detail.lines.iter().filter(|line| listing.layout.seat(line.place).is_some());
    let keep: Vec<_> = seats.map(|line| line.place.0.to_string()).collect();
    let event = format!("/events/{}", listing.event.id);
    is_over.then(|| if keep.is_empty() { event.clone() } else { format!("{event}?keep={}", keep.join(",")) })
}

/// What is less than usual with payments.
fn payments(web: &Web) -> Option<Degradation> {
    match web.capabilities.may(Capability::OrderAndPay) {
        Answered::Degraded { why } => Some(why),
        Answered::Yes | Answered::Refused { .. } => None,
    }
}

fn tickets(detail: &OrderDetail, rule: EntryRule) -> Vec<TicketView> {
    let again = rule == EntryRule::Reentry;
    let view = |ticket: &voelgoed_app::checkout::ports::Ticket| TicketView {
        id: ticket.id.to_string(),
        label: ticket.label.clone(),
        ticket_type: ticket.ticket_type_name.clone(),
        state: match ticket.state {
            TicketState::Valid => "Valid",
            TicketState::Used if again => "In use: come and go",
            TicketState::Used => "Used at the gate",
            TicketState::Revoking | TicketState::Revoked => "No longer valid",
        },
        revoked: matches!(ticket.state, TicketState::Revoking | TicketState::Revoked),
        admits: ticket.state == TicketState::Valid || again && ticket.state == TicketState::Used,
    };
    detail.tickets.iter().map(view).collect()
}

fn refunds(detail: &OrderDetail) -> Vec<RefundView> {
    let view = |refund: &voelgoed_app::payments::ports::Refund| RefundView {
        amount: money(refund.amount),
        words: match refund.state {
            RefundState::Pending => "on its way to the provider",
            RefundState::Unknown => "being checked with the provider",
            RefundState::Done => "paid back",
            RefundState::Failed => "held up; we are looking into it",
        },
        reason: refund.reason.clone(),
    };
    detail.refunds.iter().map(view).collect()
}
