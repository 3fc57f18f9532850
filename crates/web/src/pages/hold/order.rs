//! Places an order from the checkout form and redirects to it; the form's hidden idempotency key makes a second click or a retry the same order (P2).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use voelgoed_app::checkout::place_order::PlaceOrder;
use voelgoed_app::checkout::ports::{Buyer as BuyerDetails, OrderDetail};
use voelgoed_app::error::{CommandError, Fault};
use voelgoed_app::idempotency::{Created, IdempotencyKey, Idempotent};
use voelgoed_app::payments::ports::PaymentChoice;
use voelgoed_app::ticketing::hold_view::HoldView;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::accounts::{email, names};
use voelgoed_domain::ids::{HoldId, OrderId};
use voelgoed_domain::refusal::{Code, Refusal, RefusalKind};

use super::change::apply_code;
use super::{BuyerFields, FIELDS, HoldMessages, hold_ended, hold_unavailable, redirect_to_order, render};
use crate::extract::{BuyerSession, PathId};
use crate::pages::degraded_notice::{UNAVAILABLE, is_unavailable};
use crate::pages::event;
use crate::pages::form::Form;
use crate::pages::form_errors::FormErrors;
use crate::pages::refusal_sentences::sentence;
use crate::problem::{HandlerResult, status_of};
use crate::state::Web;

/// Handles the form.
pub async fn create(
    State(web): State<Web>,
    PathId(hold): PathId<HoldId>,
    buyer: BuyerSession,
    form: Form,
) -> HandlerResult<Response> {
    let scope = web.slices.ticketing.scope_of_hold_token(hold, form.must("token")?)?;
    // A repeat of a placed order is answered even above the limit.
    if let Err(refused) = buyer.check_write_limits(&web).await {
        let written: Created<()> = web
            .slices
            .checkout
            .replays
            .replay_or(scope.organization, &idempotency_key(&form, hold)?, refused.into())
            .await?;
        return match written {
            Created::Replayed(answer) => Ok(redirect_to_order(&web, scope, read_stored_response(&answer)?)),
            Created::Fresh(()) => Err(Fault::internal("a request that was refused created something").into()),
        };
    }
    if form.get("code").is_some() {
        return apply_code(&web, hold, &buyer, &form).await;
    }
    let outcome = submit(&web, &buyer, scope, hold, &form).await;
    match outcome {
        Ok(order) => Ok(redirect_to_order(&web, scope, order)),
        // The form was changed after its order was placed: its buyer needs the order.
        Err(CommandError::Refused(refusal))
            if matches!(refusal.code, Code::IdempotencyMismatch | Code::InvalidRequest) =>
        {
            if let Some(order) = web.slices.checkout.orders.order_of_hold(scope.organization, hold).await? {
                return Ok(redirect_to_order(&web, scope, order));
            }
            show_refused_form(&web, scope, hold, &form, refusal).await
        }
        Err(CommandError::Refused(refusal)) if refusal.code == Code::PlaceTaken => {
            show_taken_places(&web, &buyer, scope, &form, &refusal).await
        }
        Err(CommandError::Refused(refusal)) if refusal.code == Code::AlreadyOrdered => match refusal.evidence.order {
            Some(order) => Ok(redirect_to_order(&web, scope, order)),
            None => hold_ended(&web, scope, hold, refusal.into(), "").await,
        },
        Err(CommandError::Refused(refusal))
            if matches!(refusal.code.kind(), RefusalKind::Invalid | RefusalKind::Conflict) =>
        {
            show_refused_form(&web, scope, hold, &form, refusal).await
        }
        // The hold and the typed fields stay; the buyer may send the same form again.
        Err(error) if is_unavailable(&error) => match web.slices.ticketing.read_hold(scope, hold).await {
            Ok(view) => {
                let messages = HoldMessages { notice: Some(UNAVAILABLE.to_owned()), ..HoldMessages::default() };
                render(&web, &view, StatusCode::SERVICE_UNAVAILABLE, messages, BuyerFields::of(&form)).await
            }
            Err(_) => Ok(hold_unavailable(&web, scope, hold, error)),
        },
        Err(error) => hold_ended(&web, scope, hold, error, form.get("places").unwrap_or_default()).await,
    }
}

/// Shows the form again with the typed fields and the refusal.
async fn show_refused_form(
    web: &Web,
    scope: EventScope,
    hold: HoldId,
    form: &Form,
    refusal: Refusal,
) -> HandlerResult<Response> {
    match web.slices.ticketing.read_hold(scope, hold).await {
        Ok(view) => {
            let messages = refusal_messages(web, &view, form, &refusal).await?;
            render(web, &view, status_of(refusal.code.kind()), messages, BuyerFields::of(form)).await
        }
        Err(error) => hold_ended(web, scope, hold, error, form.get("places").unwrap_or_default()).await,
    }
}

/// Errors of all invalid fields at once, or the sentence of a refusal that names no field.
async fn refusal_messages(
    web: &Web,
    view: &HoldView,
    form: &Form,
    refusal: &Refusal,
) -> Result<HoldMessages, CommandError> {
    let listing = web.slices.catalog.listings.listing(view.scope).await?;
    let timezone = &listing.event.timezone;
    let BuyerFields { name, email, method } = BuyerFields::of(form);
    let mut errors = FormErrors::default();
    let named = FormErrors::of(refusal, FIELDS, timezone);
    if !named.0.is_empty() {
        let mut refusals =
            vec![names::display_name("buyer.name", &name).err(), email::lowercase_address("buyer.email", &email).err()];
        if method.is_empty() && !view.terms.terms.total().is_zero() {
            refusals.push(Some(Refusal::invalid("payment.method", "Say how you want to pay.")));
        }
        refusals.push(Some(refusal.clone()));
        for refusal in refusals.into_iter().flatten() {
            errors.add(&refusal, FIELDS, timezone);
        }
    }
    let notice = errors.0.is_empty().then(|| sentence(refusal, timezone));
    Ok(HoldMessages { notice, errors, done: None })
}

async fn submit(
    web: &Web,
    buyer: &BuyerSession,
    scope: EventScope,
    hold: HoldId,
    form: &Form,
) -> Result<OrderId, CommandError> {
    let BuyerFields { name, email, method } = BuyerFields::of(form);
    let payment = method.split_once(':');
    let payment = payment.map(|(provider, method)| PaymentChoice { provider: provider.into(), method: method.into() });
    let key = idempotency_key(form, hold)?;
    let command = PlaceOrder {
        scope,
        hold,
        buyer: BuyerDetails { name, email },
        address: Some(buyer.address),
        payment,
        idempotent: Idempotent { key, render: &stored_response },
    };
    match web.slices.checkout.place_order(command).await? {
        Created::Fresh(detail) => Ok(detail.order.id),
        Created::Replayed(answer) => read_stored_response(&answer),
    }
}

/// The form's idempotency key with a digest of the fields that a repeat must repeat.
///
/// # Errors
/// `invalid_request` without a key.
pub fn idempotency_key(form: &Form, caller: impl ToString) -> Result<IdempotencyKey, Refusal> {
    let key = form.must("key")?;
    if key.len() > 64 || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Refusal::invalid("key", "Load the page again."));
    }
    let mut hasher = Sha256::new();
    // The version of the stored response: a key of an older program belongs to another request.
    hasher.update([2]);
    for name in ["name", "email", "method"] {
        hasher.update(form.get(name).unwrap_or_default().as_bytes());
        hasher.update(b"\0");
    }
    // The prefix keeps keys of pages apart from keys of the API.
    Ok(IdempotencyKey { caller: caller.to_string(), key: format!("page/{key}"), request: hasher.finalize().into() })
}

/// The response to store for a repeat: the order's id.
pub fn stored_response(detail: &OrderDetail) -> Bytes {
    detail.order.id.to_string().into()
}

/// Reads a response of [`stored_response`].
///
/// # Errors
/// [`Fault::Internal`] if it is not an order's id.
pub fn read_stored_response(answer: &Bytes) -> Result<OrderId, CommandError> {
    let id = std::str::from_utf8(answer).ok().and_then(|text| text.parse().ok());
    id.ok_or_else(|| Fault::internal("a stored response names no order").into())
}

/// Another buyer got a place: shows the event's page with the other places chosen.
async fn show_taken_places(
    web: &Web,
    buyer: &BuyerSession,
    scope: EventScope,
    form: &Form,
    refusal: &Refusal,
) -> HandlerResult<Response> {
    let listing = web.slices.catalog.listings.listing(scope).await?;
    let places = form.get("places").unwrap_or_default().to_owned();
    let chosen = Form(vec![("keep".to_owned(), places)]);
    let shown = event::EventPageRequest::from_form(&chosen, &listing).refused(refusal, &listing.event.timezone);
    event::render(web, buyer, scope, &listing, status_of(refusal.code.kind()), shown).await
}
