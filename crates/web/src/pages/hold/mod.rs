//! Checkout: the places that are kept, what they cost, for how long, and the form that makes an order of them.

pub mod change;
pub mod methods;
pub mod order;

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use voelgoed_app::error::Error;
use voelgoed_app::ticketing::hold::of_token;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::read_hold::read_hold;
use voelgoed_app::ticketing::terms::HoldView;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::ids::{HoldId, OrderId};
use voelgoed_domain::money::Money;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::hold::HoldPhase;

use self::methods::{Method, methods};
use super::form::Query;
use super::form_errors::FormErrors;
use super::less::{self, is_away};
use super::list::cover;
use super::own;
use super::shell::{Shell, page};
use super::text::{Moment, counted, money, percent};
use super::turned_away::with_way_back;
use crate::extract::{KnownSession, PathId};
use crate::problem::{Answer, Failure};
use crate::state::Web;

/// What a buyer has typed, kept where it has to be corrected.
#[derive(Debug, Default)]
pub struct Typed {
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their method.
    pub method: String,
}

impl Typed {
    /// True where nothing was typed; a method is chosen from the beginning.
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
    shell: Shell,
    id: String,
    token: String,
    event: String,
    event_name: String,
    venue: String,
    starts: Moment,
    cover: u8,
    until: Moment,
    less: Option<String>,
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
    methods: Vec<Method>,
    key: String,
    said: Said,
    typed: Typed,
    /// Seconds until a page without scripts looks again: its time is over then.
    over_in: u64,
}

/// What the page says about what was sent before.
#[derive(Debug, Default)]
pub struct Said {
    /// What went wrong, where anything did.
    pub notice: Option<String>,
    /// What is wrong with which field.
    pub errors: FormErrors,
    /// What was done.
    pub done: Option<String>,
}

/// The fields of the form, in their order.
pub const FIELDS: &[&str] = &["code", "name", "email", "method"];

/// The page; with its token, or for the session that took the hold.
pub async fn show(
    State(web): State<Web>,
    PathId(id): PathId<HoldId>,
    KnownSession(session): KnownSession,
    Query(form): Query,
) -> Answer<Response> {
    let keep = form.get("keep").unwrap_or_default();
    let scope = match form.get("token") {
        Some(token) => of_token(&web.platform, id, token)?,
        None => match own::scope_of_hold(&web, session, id).await {
            Ok(scope) => scope,
            Err(failure) => return Ok(with_way_back(failure, "/mine".to_owned(), "See what is reserved for you")),
        },
    };
    match unordered(&web, scope, id, keep).await? {
        Continue(view) => render(&web, &view, StatusCode::OK, Said::default(), Typed::default()).await,
        Break(answer) => Ok(answer),
    }
}

/// The hold, while it may still be changed; else what is answered instead: its order, where another window made one of it, or the way on.
pub async fn unordered(
    web: &Web,
    scope: EventScope,
    hold: HoldId,
    keep: &str,
) -> Answer<ControlFlow<Response, HoldView>> {
    let over = match read_hold(&web.platform, scope, hold).await {
        Ok(view) => match view.record.phase {
            HoldPhase::Active => return Ok(Continue(view)),
            // An order is being written, or was a moment ago.
            HoldPhase::Pinned { .. } => {
                let order = web.platform.orders.order_of_hold(scope.organization, hold).await?;
                return Ok(order.map_or(Continue(view), |order| Break(to_order(web, scope, order))));
            }
            HoldPhase::Claimed { .. } => Refusal::new(Code::HoldLost, "This hold is over.").into(),
        },
        Err(error) if is_away(&error) => return Ok(Break(later(web, scope, hold, error))),
        Err(error) => error,
    };
    Ok(Break(gone(web, scope, hold, over, keep).await?))
}

/// Nobody can say now how the hold is: the way back is to itself.
pub fn later(web: &Web, scope: EventScope, hold: HoldId, error: Error) -> Response {
    let token = web.platform.tokens.mint(TokenKind::Hold, scope, hold);
    with_way_back(Failure(error), format!("/holds/{hold}?token={token}"), "Look at your places again")
}

/// A hold that is not there any more: its order where it became one, else the way back to the event with `keep` chosen again.
pub async fn gone(web: &Web, scope: EventScope, hold: HoldId, error: Error, keep: &str) -> Answer<Response> {
    let Error::Refused(refusal) = error else { return Err(error.into()) };
    if let Some(order) = web.platform.orders.order_of_hold(scope.organization, hold).await? {
        return Ok(to_order(web, scope, order));
    }
    let keep: String = keep.chars().filter(|c| c.is_ascii_digit() || *c == ',').collect();
    let query = if keep.is_empty() { String::new() } else { format!("?keep={keep}") };
    let href = format!("/events/{}{query}", scope.event);
    Ok(with_way_back(Failure::from(refusal), href, "Choose places again"))
}

/// Whoever has the hold's token may see the order that it became.
pub fn to_order(web: &Web, scope: EventScope, order: OrderId) -> Response {
    let token = web.platform.tokens.mint(TokenKind::Order, scope, order);
    Redirect::to(&format!("/orders/{order}?token={token}")).into_response()
}

/// The page with a status and a notice.
pub async fn render(web: &Web, view: &HoldView, status: StatusCode, said: Said, typed: Typed) -> Answer<Response> {
    let listing = web.platform.listings.listing(view.scope).await?;
    let venue = web.platform.listings.venue(view.scope).await?;
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
        shell: Shell::new(format!("Checkout · {}", event.name)),
        id: view.id.to_string(),
        token: web.platform.tokens.mint(TokenKind::Hold, view.scope, view.id),
        event: event.id.to_string(),
        event_name: event.name.clone(),
        venue: venue.name.clone(),
        starts: Moment::new(event.starts_at, &event.timezone),
        cover: cover(event),
        less: less::paying(web, &until),
        until,
        left_millis: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
        left: clock_of(left),
        places: counted(view.places.len() as u64, "place", "places"),
        keep: keep.join(","),
        items: items.collect(),
        fees: some_money(terms.fees()),
        tax: some_money(terms.tax()).map(|tax| tax_words(&tax, event.tax.basis_points, terms.tax_included)),
        total: money(terms.total()),
        free: terms.total().is_zero(),
        code: terms.code.clone(),
        methods: methods(&web.platform.gateways),
        key: web.platform.environment.uuid().simple().to_string(),
        said,
        typed,
        over_in: left.as_secs() + 2,
    };
    Ok(page(status, &template))
}

fn some_money(amount: Money) -> Option<String> {
    (!amount.is_zero()).then(|| money(amount))
}

/// `R 12.50 included (15 %)`.
pub fn tax_words(tax: &str, basis_points: u32, included: bool) -> String {
    let how = if included { "included" } else { "added" };
    format!("{tax} {how} ({})", percent(basis_points))
}

/// `9:58`
pub fn clock_of(left: Duration) -> String {
    let seconds = left.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
