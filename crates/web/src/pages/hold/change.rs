//! Handles the buttons of checkout that change a hold: remove a place, release all places, apply or remove a promo code.

use std::ops::ControlFlow::{Break, Continue};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use voelgoed_app::error::CommandError;
use voelgoed_app::ticketing::change_hold::ChangeHold;
use voelgoed_app::ticketing::hold_view::HoldView;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::ids::HoldId;
use voelgoed_domain::refusal::{Refusal, RefusalKind};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::{BuyerFields, FIELDS, HoldMessages, hold_ended, read_open_hold, render};
use crate::extract::{BuyerSession, PathId};
use crate::pages::form::Form;
use crate::pages::form_errors::FormErrors;
use crate::pages::refusal_sentences::sentence;
use crate::problem::{HandlerResult, status_of};
use crate::rate_limits;
use crate::state::Web;

/// Removes a place and keeps the typed fields; without its last place the hold ends. A place that is not in the hold is ignored.
pub async fn remove(
    State(web): State<Web>,
    PathId(hold): PathId<HoldId>,
    buyer: BuyerSession,
    form: Form,
) -> HandlerResult<Response> {
    let token = form.must("token")?;
    let scope = web.slices.ticketing.scope_of_hold_token(hold, token)?;
    buyer.check_write_limits(&web).await?;
    let place = form.must("place")?.parse().map_err(|_| Refusal::invalid("place", "Not a place."))?;
    let remove = PlaceNumber(place);
    let held = match read_open_hold(&web, scope, hold, form.get("places").unwrap_or_default()).await? {
        Continue(held) => held,
        Break(answer) => return Ok(answer),
    };
    let Some(label) = held.places.iter().find(|priced| priced.place == remove).map(|priced| priced.label.clone())
    else {
        return show_changed(&web, &held, &form, HoldMessages::default()).await;
    };
    if held.places.len() == 1 {
        web.slices.ticketing.release_hold(scope, hold).await?;
        return Ok(Redirect::to(&format!("/events/{}", scope.event)).into_response());
    }
    let change = ChangeHold { scope, hold, add: Vec::new(), remove: vec![remove], code: None, repeatable: None };
    match web.slices.ticketing.change_hold(change).await {
        Ok(changed) => {
            let done = Some(format!("{label} was given back."));
            show_changed(&web, &changed, &form, HoldMessages { done, ..HoldMessages::default() }).await
        }
        Err(CommandError::Refused(refusal))
            if matches!(refusal.code.kind(), RefusalKind::Conflict | RefusalKind::Invalid) =>
        {
            let listing = web.slices.catalog.listings.listing(scope).await?;
            let notice = Some(sentence(&refusal, &listing.event.timezone));
            let status = status_of(refusal.code.kind());
            render(&web, &held, status, HoldMessages { notice, ..HoldMessages::default() }, BuyerFields::of(&form))
                .await
        }
        Err(error) => hold_ended(&web, scope, hold, error, form.get("places").unwrap_or_default()).await,
    }
}

/// Applies a promo code to the hold and keeps the typed fields.
pub async fn code(
    State(web): State<Web>,
    PathId(hold): PathId<HoldId>,
    buyer: BuyerSession,
    form: Form,
) -> HandlerResult<Response> {
    buyer.check_write_limits(&web).await?;
    apply_code(&web, hold, &buyer, &form).await
}

/// Applies the promo code of a form; also if the buyer typed a code and pressed the order button, since the order would miss the code.
pub async fn apply_code(web: &Web, hold: HoldId, buyer: &BuyerSession, form: &Form) -> HandlerResult<Response> {
    let scope = web.slices.ticketing.scope_of_hold_token(hold, form.must("token")?)?;
    let held = match read_open_hold(web, scope, hold, form.get("places").unwrap_or_default()).await? {
        Continue(held) => held,
        Break(answer) => return Ok(answer),
    };
    let is_removed = form.get("remove_code").is_some();
    let given = Some(form.get("code").filter(|_| !is_removed).unwrap_or_default().to_owned());
    let change = ChangeHold { scope, hold, add: Vec::new(), remove: Vec::new(), code: given.clone(), repeatable: None };
    match rate_limits::with_promo_code(web, buyer, given.as_deref(), web.slices.ticketing.change_hold(change)).await {
        Ok(changed) => {
            let done = match &changed.terms.terms.code {
                Some(_) => "The promo code was applied. The total below has it in it.",
                None => "The promo code was taken off.",
            };
            let done = Some(done.to_owned());
            show_changed(web, &changed, form, HoldMessages { done, ..HoldMessages::default() }).await
        }
        Err(CommandError::Refused(refusal))
            if matches!(
                refusal.code.kind(),
                RefusalKind::Conflict | RefusalKind::Invalid | RefusalKind::RateLimited
            ) =>
        {
            let listing = web.slices.catalog.listings.listing(scope).await?;
            let errors = FormErrors::of(&refusal, FIELDS, &listing.event.timezone);
            let notice = errors.is_empty().then(|| sentence(&refusal, &listing.event.timezone));
            let messages = HoldMessages { notice, errors, done: None };
            render(web, &held, status_of(refusal.code.kind()), messages, BuyerFields::of(form)).await
        }
        Err(error) => hold_ended(web, scope, hold, error, form.get("places").unwrap_or_default()).await,
    }
}

/// Shows the changed hold: by a redirect, or in this response if it has typed fields, which no address may carry.
async fn show_changed(web: &Web, view: &HoldView, form: &Form, messages: HoldMessages) -> HandlerResult<Response> {
    let fields = BuyerFields::of(form);
    if fields.is_empty() {
        let token = web.slices.context.tokens.mint(TokenKind::Hold, view.scope, view.id);
        return Ok(Redirect::to(&format!("/holds/{}?token={token}", view.id)).into_response());
    }
    render(web, view, StatusCode::OK, messages, fields).await
}

/// Releases all places and redirects to the event.
pub async fn release(State(web): State<Web>, PathId(hold): PathId<HoldId>, form: Form) -> HandlerResult<Response> {
    let scope = web.slices.ticketing.scope_of_hold_token(hold, form.must("token")?)?;
    match web.slices.ticketing.release_hold(scope, hold).await {
        Ok(()) => Ok(Redirect::to(&format!("/events/{}", scope.event)).into_response()),
        Err(error) => hold_ended(&web, scope, hold, error, "").await,
    }
}
