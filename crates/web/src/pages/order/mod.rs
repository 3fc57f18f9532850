//! Shows an order: the state of its payment, its tickets once it is paid, and its refunds; `order.js` keeps the page current.

mod order_status;
pub mod pay_again;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use voelgoed_app::checkout::ports::OrderDetail;
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
use voelgoed_resilience::{Capability, CapabilityAnswer, Degradation};

use self::order_status::{OrderStatusText, fingerprint, order_status};
use super::cover_picture::cover;
use super::degraded_notice::is_unavailable;
use super::error_page::with_recovery_link;
use super::form::Query;
use super::formatting::{Moment, money};
use super::hold::payment_methods::{PaymentMethod, payment_methods};
use super::hold::tax_text;
use super::page_layout::{PageLayout, html_page};
use crate::extract::{KnownSession, PathId};
use crate::problem::{Failure, HandlerResult};
use crate::state::Web;

/// Without a token, an order is found among the newest orders of its session.
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
    state: &'static str,
    reason: String,
}

#[derive(Template)]
#[template(path = "checkout/order.html")]
struct OrderPage {
    page_layout: PageLayout,
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
    order_status: OrderStatusText,
    fingerprint: String,
    lines: Vec<LineView>,
    fees: Option<String>,
    tax: Option<String>,
    total: String,
    tickets: Vec<TicketView>,
    refunds: Vec<RefundView>,
    methods: Vec<PaymentMethod>,
    key: String,
    method_error: Option<String>,
    notice: Option<String>,
    /// The event's page with the same seats chosen, for an order that ended.
    choose_again: Option<String>,
}

/// Shows the page to the bearer of the order's token or to its session.
pub async fn show(
    State(web): State<Web>,
    PathId(order): PathId<OrderId>,
    KnownSession(session): KnownSession,
    Query(form): Query,
) -> HandlerResult<Response> {
    let scope = match form.get("token") {
        Some(token) => web.slices.checkout.scope_of_token(order, token).await?,
        None => match scope_of_session(&web, session, order).await {
            Ok(scope) => scope,
            Err(failure) => return Ok(with_recovery_link(failure, "/mine".to_owned(), "See your orders")),
        },
    };
    match render(&web, scope, order, StatusCode::OK, None).await {
        Err(Failure(error)) if is_unavailable(&error) => {
            let href =
                format!("/orders/{order}?token={}", web.slices.context.tokens.mint(TokenKind::Order, scope, order));
            Ok(with_recovery_link(Failure(error), href, "Look at your order again"))
        }
        shown => shown,
    }
}

/// The event of an order of this session.
async fn scope_of_session(web: &Web, session: Option<SessionId>, order: OrderId) -> HandlerResult<EventScope> {
    let session = session.ok_or_else(Refusal::not_found)?;
    let orders = web.slices.checkout.orders.orders_of_session(session, ORDERS_OF_SESSION_MAX).await?;
    let found = orders.iter().find(|found| found.id == order).ok_or_else(Refusal::not_found)?;
    Ok(EventScope { organization: found.organization, event: found.event })
}

/// Renders the page with a status and a notice.
pub async fn render(
    web: &Web,
    scope: EventScope,
    order: OrderId,
    status: StatusCode,
    notice: Option<String>,
) -> HandlerResult<Response> {
    let detail = web.slices.checkout.view_order(scope.organization, order).await?;
    let listing = web.slices.catalog.listings.listing(scope).await?;
    let venue = web.slices.catalog.listings.venue(scope).await?;
    let event = &listing.event;
    let now = web.slices.context.now();
    let OrderDetail { order, lines, .. } = &*detail;
    let in_currency = |amount| Money::new(amount, order.total.currency);
    let id = order.id.to_string();
    let template = OrderPage {
        page_layout: PageLayout::new(format!("Your order · {}", event.name)),
        short_id: id.get(id.len().saturating_sub(8)..).unwrap_or_default().to_uppercase(),
        id,
        token: web.slices.context.tokens.mint(TokenKind::Order, scope, order.id),
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
        order_status: order_status(&detail, &event.timezone, now, payment_degradation(web)),
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
        tax: (!order.tax.is_zero()).then(|| tax_text(&money(order.tax), event.tax.basis_points, event.tax.included)),
        total: money(order.total),
        tickets: tickets(&detail, listing.event.entry_rule),
        refunds: refunds(&detail),
        methods: payment_methods(&web.slices.payments.gateways),
        key: web.slices.context.environment.uuid().simple().to_string(),
        method_error: None,
        notice,
        choose_again: choose_again(&detail, &listing),
    };
    Ok(html_page(status, &template))
}

/// The address of the event with the order's seats chosen, if the order ended without tickets.
fn choose_again(detail: &OrderDetail, listing: &Listing) -> Option<String> {
    let is_over = matches!(detail.order.state, OrderState::Expired | OrderState::Cancelled | OrderState::Refunded);
    let seats = detail.lines.iter().filter(|line| listing.layout.seat(line.place).is_some());
    let keep: Vec<_> = seats.map(|line| line.place.0.to_string()).collect();
    let event = format!("/events/{}", listing.event.id);
    is_over.then(|| if keep.is_empty() { event.clone() } else { format!("{event}?keep={}", keep.join(",")) })
}

/// The degradation of payments.
fn payment_degradation(web: &Web) -> Option<Degradation> {
    match web.capabilities.may(Capability::OrderAndPay) {
        CapabilityAnswer::Degraded { why } => Some(why),
        CapabilityAnswer::Yes | CapabilityAnswer::Refused { .. } => None,
    }
}

fn tickets(detail: &OrderDetail, rule: EntryRule) -> Vec<TicketView> {
    let may_reenter = rule == EntryRule::Reentry;
    let view = |ticket: &voelgoed_app::checkout::ports::Ticket| TicketView {
        id: ticket.id.to_string(),
        label: ticket.label.clone(),
        ticket_type: ticket.ticket_type_name.clone(),
        state: match ticket.state {
            TicketState::Valid => "Valid",
            TicketState::Used if may_reenter => "In use: come and go",
            TicketState::Used => "Used at the gate",
            TicketState::Revoking | TicketState::Revoked => "No longer valid",
        },
        revoked: matches!(ticket.state, TicketState::Revoking | TicketState::Revoked),
        admits: ticket.state == TicketState::Valid || may_reenter && ticket.state == TicketState::Used,
    };
    detail.tickets.iter().map(view).collect()
}

fn refunds(detail: &OrderDetail) -> Vec<RefundView> {
    let view = |refund: &voelgoed_app::payments::ports::Refund| RefundView {
        amount: money(refund.amount),
        state: match refund.state {
            RefundState::Pending => "on its way to the provider",
            RefundState::Unknown => "being checked with the provider",
            RefundState::Done => "paid back",
            RefundState::Failed => "held up; we are looking into it",
        },
        reason: refund.reason.clone(),
    };
    detail.refunds.iter().map(view).collect()
}
