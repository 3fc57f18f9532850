//! Buttons of checkout: give one place back, or all of them, or apply a promo code.

use std::ops::ControlFlow::{Break, Continue};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use voelgoed_app::error::Error;
use voelgoed_app::ticketing::change_hold::{ChangeHold, change_hold};
use voelgoed_app::ticketing::hold::of_token;
use voelgoed_app::ticketing::release_hold::release_hold;
use voelgoed_app::ticketing::terms::HoldView;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::ids::HoldId;
use voelgoed_domain::refusal::{Nature, Refusal};
use voelgoed_domain::ticketing::place::PlaceNumber;

use super::order::typed;
use super::{FIELDS, Said, gone, render, unordered};
use crate::extract::{Buyer, PathId};
use crate::pages::form::Form;
use crate::pages::form_errors::FormErrors;
use crate::pages::sentences::sentence;
use crate::problem::{Answer, status_of};
use crate::rates;
use crate::state::Web;

/// Gives one place back; the last one ends the hold. What was typed beside it stays. A place that is gone already stays gone.
pub async fn remove(
    State(web): State<Web>,
    PathId(hold): PathId<HoldId>,
    buyer: Buyer,
    form: Form,
) -> Answer<Response> {
    let token = form.must("token")?;
    let scope = of_token(&web.platform, hold, token)?;
    buyer.limited(&web).await?;
    let place = form.must("place")?.parse().map_err(|_| Refusal::invalid("place", "Not a place."))?;
    let remove = PlaceNumber(place);
    let held = match unordered(&web, scope, hold, form.get("places").unwrap_or_default()).await? {
        Continue(held) => held,
        Break(answer) => return Ok(answer),
    };
    let Some(label) = held.places.iter().find(|priced| priced.place == remove).map(|priced| priced.label.clone())
    else {
        return shown(&web, &held, &form, Said::default()).await;
    };
    if held.places.len() == 1 {
        release_hold(&web.platform, scope, hold).await?;
        return Ok(Redirect::to(&format!("/events/{}", scope.event)).into_response());
    }
    let change = ChangeHold { scope, hold, add: Vec::new(), remove: vec![remove], code: None, repeatable: None };
    match change_hold(&web.platform, change).await {
        Ok(changed) => {
            let done = Some(format!("{label} was given back."));
            shown(&web, &changed, &form, Said { done, ..Said::default() }).await
        }
        Err(Error::Refused(refusal)) if matches!(refusal.code.nature(), Nature::Conflict | Nature::Invalid) => {
            let listing = web.platform.listings.listing(scope).await?;
            let notice = Some(sentence(&refusal, &listing.event.timezone));
            let status = status_of(refusal.code.nature());
            render(&web, &held, status, Said { notice, ..Said::default() }, typed(&form)).await
        }
        Err(error) => gone(&web, scope, hold, error, form.get("places").unwrap_or_default()).await,
    }
}

/// Applies a promo code to what is held. What was typed beside it stays.
pub async fn code(State(web): State<Web>, PathId(hold): PathId<HoldId>, buyer: Buyer, form: Form) -> Answer<Response> {
    buyer.limited(&web).await?;
    apply_code(&web, hold, &buyer, &form).await
}

/// The same where the code was typed and another button pressed: nobody pays without the code that they see.
pub async fn apply_code(web: &Web, hold: HoldId, buyer: &Buyer, form: &Form) -> Answer<Response> {
    let scope = of_token(&web.platform, hold, form.must("token")?)?;
    let held = match unordered(web, scope, hold, form.get("places").unwrap_or_default()).await? {
        Continue(held) => held,
        Break(answer) => return Ok(answer),
    };
    let is_off = form.get("remove_code").is_some();
    let given = Some(form.get("code").filter(|_| !is_off).unwrap_or_default().to_owned());
    let change = ChangeHold { scope, hold, add: Vec::new(), remove: Vec::new(), code: given.clone(), repeatable: None };
    match rates::with_promo_code(web, buyer, given.as_deref(), change_hold(&web.platform, change)).await {
        Ok(changed) => {
            let done = match &changed.terms.terms.code {
                Some(_) => "The promo code was applied. The total below has it in it.",
                None => "The promo code was taken off.",
            };
            let done = Some(done.to_owned());
            shown(web, &changed, form, Said { done, ..Said::default() }).await
        }
        Err(Error::Refused(refusal))
            if matches!(refusal.code.nature(), Nature::Conflict | Nature::Invalid | Nature::Limited) =>
        {
            let listing = web.platform.listings.listing(scope).await?;
            let errors = FormErrors::of(&refusal, FIELDS, &listing.event.timezone);
            let notice = errors.is_empty().then(|| sentence(&refusal, &listing.event.timezone));
            let said = Said { notice, errors, done: None };
            render(web, &held, status_of(refusal.code.nature()), said, typed(form)).await
        }
        Err(error) => gone(web, scope, hold, error, form.get("places").unwrap_or_default()).await,
    }
}

/// The hold after a change. Where something was typed it is shown in this very answer, since no address may carry it.
async fn shown(web: &Web, view: &HoldView, form: &Form, said: Said) -> Answer<Response> {
    let typed = typed(form);
    if typed.is_empty() {
        let token = web.platform.tokens.mint(TokenKind::Hold, view.scope, view.id);
        return Ok(Redirect::to(&format!("/holds/{}?token={token}", view.id)).into_response());
    }
    render(web, view, StatusCode::OK, said, typed).await
}

/// Gives all places back and leads to the event.
pub async fn release(State(web): State<Web>, PathId(hold): PathId<HoldId>, form: Form) -> Answer<Response> {
    let scope = of_token(&web.platform, hold, form.must("token")?)?;
    match release_hold(&web.platform, scope, hold).await {
        Ok(()) => Ok(Redirect::to(&format!("/events/{}", scope.event)).into_response()),
        Err(error) => gone(&web, scope, hold, error, "").await,
    }
}
