//! The event page's form: holds places and leads to checkout. Refused, it shows the page again with what can be kept.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use voelgoed_app::error::Error;
use voelgoed_app::ticketing::hold::{HoldCommand, hold};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::terms::HoldView;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::refusal::{Code, Nature, Refusal};
use voelgoed_domain::ticketing::place::PlaceNumber;

use super::asked::{self, Asked};
use super::{Shown, render};
use crate::api::events::visible;
use crate::extract::{Buyer, PathId};
use crate::pages::form::Form;
use crate::pages::less::{AWAY, is_away};
use crate::problem::{Answer, status_of};
use crate::rates;
use crate::state::Web;

/// The form.
pub async fn create(
    State(web): State<Web>,
    PathId(event): PathId<EventId>,
    buyer: Buyer,
    form: Form,
) -> Answer<Response> {
    buyer.limited(&web).await?;
    rates::hold(&web, &buyer).await?;
    let (scope, listing) = visible(&web, event).await?;
    match ask(&web, scope, &listing, buyer, &form).await {
        Ok(view) => {
            let token = web.platform.tokens.mint(TokenKind::Hold, scope, view.id);
            Ok(Redirect::to(&format!("/holds/{}?token={token}", view.id)).into_response())
        }
        // What a person can mend is said on the page itself; the rest is a page of errors.
        Err(Error::Refused(refusal))
            if matches!(refusal.code.nature(), Nature::Conflict | Nature::Invalid)
                || refusal.code == Code::RateLimited =>
        {
            refused(&web, scope, &listing, &form, &refusal).await
        }
        // What was chosen stays chosen, for the next try.
        Err(error) if is_away(&error) => {
            refused(&web, scope, &listing, &form, &Refusal::new(Code::TryAgain, AWAY)).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn ask(web: &Web, scope: EventScope, listing: &Listing, buyer: Buyer, form: &Form) -> Result<HoldView, Error> {
    let Asked { items, best_available } = asked::read(form, listing)?;
    let code = form.get("code");
    let command = HoldCommand {
        scope,
        session: buyer.session,
        items,
        best_available,
        code: code.map(str::to_owned),
        repeatable: None,
    };
    rates::with_promo_code(web, &buyer, code, hold(&web.platform, command)).await
}

async fn refused(
    web: &Web,
    scope: EventScope,
    listing: &Arc<Listing>,
    form: &Form,
    refusal: &Refusal,
) -> Answer<Response> {
    let mut keep: Vec<_> = form.all("place").filter_map(|text| text.parse().ok()).map(PlaceNumber).collect();
    keep.retain(|place| !refusal.evidence.places.contains(place));
    let shown = Shown {
        notice: Some(words(listing, refusal)),
        area: form.get("shown_area").and_then(|area| area.parse().ok()),
        row: form.get("shown_row").and_then(|row| row.parse().ok()).unwrap_or(0),
        keep,
        code: form.get("code").unwrap_or_default().to_owned(),
    };
    render(web, scope, listing, status_of(refusal.code.nature()), shown).await
}

/// A refusal in words for the page.
pub fn words(listing: &Listing, refusal: &Refusal) -> String {
    if refusal.code != Code::PlaceTaken {
        return refusal.detail.clone();
    }
    let labels: Vec<_> = refusal.evidence.places.iter().filter_map(|place| listing.layout.label(*place)).collect();
    format!("Somebody was faster with {}. Your other places are still chosen; nothing was charged.", labels.join(", "))
}
