//! Buttons of checkout: give one place back, or all of them, or apply a promo code.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use voelgoed_app::error::Error;
use voelgoed_app::ticketing::change_hold::{ChangeHold, change_hold};
use voelgoed_app::ticketing::hold::of_token;
use voelgoed_app::ticketing::read_hold::read_hold;
use voelgoed_app::ticketing::release_hold::release_hold;
use voelgoed_domain::ids::HoldId;
use voelgoed_domain::refusal::{Nature, Refusal};
use voelgoed_domain::ticketing::place::PlaceNumber;

use super::{Typed, gone, render};
use crate::extract::{Buyer, PathId};
use crate::pages::form::Form;
use crate::problem::{Answer, status_of};
use crate::rates;
use crate::state::Web;

/// Gives one place back; the last one ends the hold.
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
    let held = match read_hold(&web.platform, scope, hold).await {
        Ok(held) => held,
        Err(error) => return gone(&web, scope, hold, error, "").await,
    };
    let here = format!("/holds/{hold}?token={token}");
    // The same button again, or a try after a lost answer.
    if held.places.iter().all(|priced| priced.place != remove) {
        return Ok(Redirect::to(&here).into_response());
    }
    if held.places.iter().all(|priced| priced.place == remove) {
        release_hold(&web.platform, scope, hold).await?;
        return Ok(Redirect::to(&format!("/events/{}", scope.event)).into_response());
    }
    match change_hold(
        &web.platform,
        ChangeHold { scope, hold, add: Vec::new(), remove: vec![remove], code: None, repeatable: None },
    )
    .await
    {
        Ok(_) => Ok(Redirect::to(&here).into_response()),
        Err(Error::Refused(refusal)) if matches!(refusal.code.nature(), Nature::Conflict | Nature::Invalid) => {
            let status: StatusCode = status_of(refusal.code.nature());
            render(&web, &held, status, Some(refusal.detail), Typed::default()).await
        }
        Err(error) => gone(&web, scope, hold, error, "").await,
    }
}

/// Applies a promo code to what is held.
pub async fn code(State(web): State<Web>, PathId(hold): PathId<HoldId>, buyer: Buyer, form: Form) -> Answer<Response> {
    let token = form.must("token")?;
    let scope = of_token(&web.platform, hold, token)?;
    buyer.limited(&web).await?;
    let held = match read_hold(&web.platform, scope, hold).await {
        Ok(held) => held,
        Err(error) => return gone(&web, scope, hold, error, "").await,
    };
    let given = form.get("code").unwrap_or_default().to_owned();
    let change = ChangeHold { scope, hold, add: Vec::new(), remove: Vec::new(), code: Some(given), repeatable: None };
    let given = change.code.clone();
    match rates::with_promo_code(&web, &buyer, given.as_deref(), change_hold(&web.platform, change)).await {
        Ok(_) => Ok(Redirect::to(&format!("/holds/{hold}?token={token}")).into_response()),
        Err(Error::Refused(refusal))
            if matches!(refusal.code.nature(), Nature::Conflict | Nature::Invalid | Nature::Limited) =>
        {
            let status: StatusCode = status_of(refusal.code.nature());
            render(&web, &held, status, Some(refusal.detail), Typed::default()).await
        }
        Err(error) => gone(&web, scope, hold, error, "").await,
    }
}

/// Gives all places back and leads to the event.
pub async fn release(State(web): State<Web>, PathId(hold): PathId<HoldId>, form: Form) -> Answer<Response> {
    let scope = of_token(&web.platform, hold, form.must("token")?)?;
    match release_hold(&web.platform, scope, hold).await {
        Ok(()) => Ok(Redirect::to(&format!("/events/{}", scope.event)).into_response()),
        Err(error) => gone(&web, scope, hold, error, "").await,
    }
}
