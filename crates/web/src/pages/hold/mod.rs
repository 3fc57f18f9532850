//! Shows the checkout of a hold: its places and prices, the time left, and the form that places the order.

pub mod change;
pub mod order;
pub mod payment_methods;

use std::ops::ControlFlow::{self, Break, Continue};

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use voelgoed_app::error::CommandError;
use voelgoed_app::ticketing::hold_view::HoldView;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::ids::{HoldId, OrderId};
use voelgoed_domain::money::Money;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::hold::HoldPhase;

use self::payment_methods::{PaymentMethod, payment_methods};
use super::cover_picture::cover;
use super::degraded_notice::{self, is_unavailable};
use super::error_page::with_recovery_link;
use super::form::{Form, Query};
use super::form_errors::FormErrors;
use super::formatting::{Moment, countdown, counted, money, percent};
use super::page_layout::{PageLayout, html_page};
use super::reserved_holds;
use crate::extract::{KnownSession, PathId};
use crate::problem::{Failure, HandlerResult};
use crate::state::Web;

/// The fields of the checkout form that a buyer filled in.
#[derive(Debug, Default)]
pub struct BuyerFields {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// `provider:method`.
    pub method: String,
}

impl BuyerFields {
    /// Reads a form.
    pub fn of(form: &Form) -> Self {
        let text = |name| form.get(name).unwrap_or_default().to_owned();
        Self { name: text("name"), email: text("email"), method: text("method") }
    }

    /// True if nothing was typed; the method does not count, because one is chosen from the beginning.
    pub fn is_empty(&self) -> bool {
        self.name.is_empty() && self.email.is_empty()
    }
}

struct ItemView {
    place: u32,
    label: String,
    ticket_type: String,
    price: String,
}

#[derive(Template)]
#[template(path = "checkout/hold.html")]
struct HoldPage {
    page_layout: PageLayout,
    id: String,
    token: String,
    event: String,
    event_name: String,
    venue: String,
    starts: Moment,
    cover: u8,
    until: Moment,
    degraded: Option<String>,
    left_millis: u64,
    left: String,
    places: String,
    keep: String,
    items: Vec<ItemView>,
    fees: Option<String>,
    tax: Option<String>,
    total: String,
    free: bool,
    code: Option<String>,
    methods: Vec<PaymentMethod>,
    key: String,
    messages: HoldMessages,
    fields: BuyerFields,
    /// Seconds until a page without scripts reloads: just after the expiry.
    reload_seconds: u64,
}

/// Messages about the form that was sent before.
#[derive(Debug, Default)]
pub struct HoldMessages {
    /// A refusal that belongs to no field.
    pub notice: Option<String>,
    /// Refusals of fields.
    pub errors: FormErrors,
    /// A confirmation.
    pub done: Option<String>,
}

/// The fields of the form in their order.
pub const FIELDS: &[&str] = &["code", "name", "email", "method"];

/// Shows the page to the bearer of the hold's token or to its session.
pub async fn show(
    State(web): State<Web>,
    PathId(id): PathId<HoldId>,
    KnownSession(session): KnownSession,
    Query(form): Query,
) -> HandlerResult<Response> {
    let keep = form.get("keep").unwrap_or_default();
    let scope = match form.get("token") {
        Some(token) => web.slices.ticketing.scope_of_hold_token(id, token)?,
        None => match reserved_holds::scope_of_hold(&web, session, id).await {
            Ok(scope) => scope,
            Err(failure) => return Ok(with_recovery_link(failure, "/mine".to_owned(), "See what is reserved for you")),
        },
    };
    match read_open_hold(&web, scope, id, keep).await? {
        Continue(view) => render(&web, &view, StatusCode::OK, HoldMessages::default(), BuyerFields::default()).await,
        Break(answer) => Ok(answer),
    }
}

/// Reads a hold that can still be changed; else breaks with the response: a redirect to its order, or an error page.
pub async fn read_open_hold(
    web: &Web,
    scope: EventScope,
    hold: HoldId,
    keep: &str,
) -> HandlerResult<ControlFlow<Response, HoldView>> {
    let error = match web.slices.ticketing.read_hold(scope, hold).await {
        Ok(view) => match view.record.phase {
            HoldPhase::Active => return Ok(Continue(view)),
            // An order is being placed, or was placed a moment ago.
            HoldPhase::Pinned { .. } => {
                let order = web.slices.checkout.orders.order_of_hold(scope.organization, hold).await?;
                return Ok(order.map_or(Continue(view), |order| Break(redirect_to_order(web, scope, order))));
            }
            HoldPhase::Claimed { .. } => Refusal::new(Code::HoldLost, "This hold is over.").into(),
        },
        Err(error) if is_unavailable(&error) => return Ok(Break(hold_unavailable(web, scope, hold, error))),
        Err(error) => error,
    };
    Ok(Break(hold_ended(web, scope, hold, error, keep).await?))
}

/// The hold cannot be read now: an error page with a link to the same checkout.
pub fn hold_unavailable(web: &Web, scope: EventScope, hold: HoldId, error: CommandError) -> Response {
    let token = web.slices.context.tokens.mint(TokenKind::Hold, scope, hold);
    with_recovery_link(Failure(error), format!("/holds/{hold}?token={token}"), "Look at your places again")
}

/// The hold has ended: redirects to its order, else an error page with a link to the event with the places in `keep` chosen.
pub async fn hold_ended(
    web: &Web,
    scope: EventScope,
    hold: HoldId,
    error: CommandError,
    keep: &str,
) -> HandlerResult<Response> {
    let CommandError::Refused(refusal) = error else { return Err(error.into()) };
    if let Some(order) = web.slices.checkout.orders.order_of_hold(scope.organization, hold).await? {
        return Ok(redirect_to_order(web, scope, order));
    }
    let keep: String = keep.chars().filter(|c| c.is_ascii_digit() || *c == ',').collect();
    let query = if keep.is_empty() { String::new() } else { format!("?keep={keep}") };
    let href = format!("/events/{}{query}", scope.event);
    Ok(with_recovery_link(Failure::from(refusal), href, "Choose places again"))
}

/// Redirects to the order with its token: the bearer of a hold's token may see the order that the hold became.
pub fn redirect_to_order(web: &Web, scope: EventScope, order: OrderId) -> Response {
    let token = web.slices.context.tokens.mint(TokenKind::Order, scope, order);
    Redirect::to(&format!("/orders/{order}?token={token}")).into_response()
}

/// Renders the page with a status and messages.
pub async fn render(
    web: &Web,
    view: &HoldView,
    status: StatusCode,
    messages: HoldMessages,
    fields: BuyerFields,
) -> HandlerResult<Response> {
    let listing = web.slices.catalog.listings.listing(view.scope).await?;
    let venue = web.slices.catalog.listings.venue(view.scope).await?;
    let event = &listing.event;
    let terms = &view.terms.terms;
    let until = Moment::new(view.record.expires_at, &event.timezone);
    let left = view.record.expires_at.since(view.now);
    let keep: Vec<_> = view
        .places
        .iter()
        .filter(|priced| listing.layout.seat(priced.place).is_some())
        .map(|priced| priced.place.0.to_string())
        .collect();
    let items = view.places.iter().map(|priced| ItemView {
        place: priced.place.0,
        label: priced.label.clone(),
        ticket_type: priced.ticket_type_name.clone(),
        price: money(priced.price),
    });
    let template = HoldPage {
        page_layout: PageLayout::new(format!("Checkout · {}", event.name)),
        id: view.id.to_string(),
        token: web.slices.context.tokens.mint(TokenKind::Hold, view.scope, view.id),
        event: event.id.to_string(),
        event_name: event.name.clone(),
        venue: venue.name.clone(),
        starts: Moment::new(event.starts_at, &event.timezone),
        cover: cover(event),
        degraded: degraded_notice::payment_notice(web, &until),
        until,
        left_millis: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
        left: countdown(left),
        places: counted(view.places.len() as u64, "place", "places"),
        keep: keep.join(","),
        items: items.collect(),
        fees: nonzero_money(terms.fees()),
        tax: nonzero_money(terms.tax()).map(|tax| tax_text(&tax, event.tax.basis_points, terms.tax_included)),
        total: money(terms.total()),
        free: terms.total().is_zero(),
        code: terms.code.clone(),
        methods: payment_methods(&web.slices.payments.gateways),
        key: web.slices.context.environment.uuid().simple().to_string(),
        messages,
        fields,
        reload_seconds: left.as_secs() + 2,
    };
    Ok(html_page(status, &template))
}

fn nonzero_money(amount: Money) -> Option<String> {
    (!amount.is_zero()).then(|| money(amount))
}

/// `R 12.50 included (15 %)`.
pub fn tax_text(tax: &str, basis_points: u32, included: bool) -> String {
    let how = if included { "included" } else { "added" };
    format!("{tax} {how} ({})", percent(basis_points))
}
