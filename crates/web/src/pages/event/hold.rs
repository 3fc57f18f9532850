//! The event page's form: holds places and leads to checkout. Refused, it shows the page again with what can be kept.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};
use voelgoed_app::error::Error;
use voelgoed_app::ticketing::hold::{HoldCommand, granted_before, hold};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::terms::HoldView;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::refusal::{Code, Nature, Refusal};

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
    if let Err(refused) = limited(&web, &buyer).await {
        let (scope, listing) = visible(&web, event).await?;
        let Some(repeatable) = repeatable(&form, &asked::read(&form, &listing)?) else { return Err(refused.into()) };
        let view = granted_before(&web.platform, scope, buyer.session, &repeatable, refused).await?;
        return Ok(to_hold(&web, scope, &view));
    }
    let (scope, listing) = visible(&web, event).await?;
    match ask(&web, scope, &listing, &buyer, &form).await {
        Ok(view) => Ok(to_hold(&web, scope, &view)),
        // What a person can mend is said on the page itself; the rest is a page of errors.
        Err(Error::Refused(refusal))
            if matches!(refusal.code.nature(), Nature::Conflict | Nature::Invalid)
                || refusal.code == Code::RateLimited =>
        {
            refused(&web, &buyer, scope, &listing, &form, &refusal).await
        }
        // What was chosen stays chosen, for the next try.
        Err(error) if is_away(&error) => {
            refused(&web, &buyer, scope, &listing, &form, &Refusal::new(Code::TryAgain, AWAY)).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn ask(web: &Web, scope: EventScope, listing: &Listing, buyer: &Buyer, form: &Form) -> Result<HoldView, Error> {
    let asked = asked::read(form, listing)?;
    let repeatable = repeatable(form, &asked);
    let Asked { items, best_available } = asked;
    let code = form.get("code");
    let command = HoldCommand {
        scope,
        session: buyer.session,
        address: Some(buyer.address),
        items,
        best_available,
        code: code.map(str::to_owned),
        repeatable,
    };
    let repeatable = command.repeatable.clone();
    match (rates::with_promo_code(web, buyer, code, hold(&web.platform, command)).await, repeatable) {
        (Err(Error::Refused(refused)), Some(repeatable)) if refused.code == Code::RateLimited => {
            granted_before(&web.platform, scope, buyer.session, &repeatable, refused).await
        }
        (asked, _) => asked,
    }
}

async fn limited(web: &Web, buyer: &Buyer) -> Result<(), Refusal> {
    buyer.limited(web).await?;
    rates::hold(web, buyer).await
}

fn to_hold(web: &Web, scope: EventScope, view: &HoldView) -> Response {
    let token = web.platform.tokens.mint(TokenKind::Hold, scope, view.id);
    Redirect::to(&format!("/holds/{}?token={token}", view.id)).into_response()
}

/// The key of a choice: the one that the page was rendered with, and a digest of what is chosen. The same choice of one page is a repeat, another is not.
fn repeatable(form: &Form, asked: &Asked) -> Option<(String, [u8; 32])> {
    let page = form.get("key").filter(|key| key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    let mut hasher = Sha256::new();
    hasher.update(format!("{asked:?}"));
    hasher.update(form.get("code").unwrap_or_default());
    let digest: [u8; 32] = hasher.finalize().into();
    // Keys of pages and of the API never meet.
    Some((format!("page/{page}/{}", STANDARD_NO_PAD.encode(digest)), digest))
}

async fn refused(
    web: &Web,
    buyer: &Buyer,
    scope: EventScope,
    listing: &Arc<Listing>,
    form: &Form,
    refusal: &Refusal,
) -> Answer<Response> {
    let shown = Shown::asked(form, listing).refused(refusal, &listing.event.timezone);
    render(web, buyer, scope, listing, status_of(refusal.code.nature()), shown).await
}
