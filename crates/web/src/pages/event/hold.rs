//! Holds the places of the event page's form and redirects to checkout; a refusal shows the page again with the choice kept.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};
use voelgoed_app::error::CommandError;
use voelgoed_app::ticketing::hold::HoldCommand;
use voelgoed_app::ticketing::hold_view::HoldView;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::refusal::{Code, Refusal, RefusalKind};

use super::hold_form::{self, HoldForm};
use super::{EventPageRequest, render};
use crate::api::events::visible;
use crate::extract::{BuyerSession, PathId};
use crate::pages::degraded_notice::{UNAVAILABLE, is_unavailable};
use crate::pages::form::Form;
use crate::problem::{HandlerResult, status_of};
use crate::rate_limits;
use crate::state::Web;

/// Handles the form.
pub async fn create(
    State(web): State<Web>,
    PathId(event): PathId<EventId>,
    buyer: BuyerSession,
    form: Form,
) -> HandlerResult<Response> {
    // A repeat of a granted hold is answered even above the limit.
    if let Err(refused) = check_limits(&web, &buyer).await {
        let (scope, listing) = visible(&web, event).await?;
        let Some(repeatable) = repeatable(&form, &hold_form::read(&form, &listing)?) else {
            return Err(refused.into());
        };
        let view = web.slices.ticketing.replay_hold_or(scope, buyer.session, &repeatable, refused).await?;
        return Ok(redirect_to_hold(&web, scope, &view));
    }
    let (scope, listing) = visible(&web, event).await?;
    match hold_places(&web, scope, &listing, &buyer, &form).await {
        Ok(view) => Ok(redirect_to_hold(&web, scope, &view)),
        // Refusals that the buyer can resolve are shown on the page; others become an error page.
        Err(CommandError::Refused(refusal))
            if matches!(refusal.code.kind(), RefusalKind::Conflict | RefusalKind::Invalid)
                || refusal.code == Code::RateLimited =>
        {
            refused(&web, &buyer, scope, &listing, &form, &refusal).await
        }
        // The choice is kept for the next attempt.
        Err(error) if is_unavailable(&error) => {
            refused(&web, &buyer, scope, &listing, &form, &Refusal::new(Code::TryAgain, UNAVAILABLE)).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn hold_places(
    web: &Web,
    scope: EventScope,
    listing: &Listing,
    buyer: &BuyerSession,
    form: &Form,
) -> Result<HoldView, CommandError> {
    let wanted = hold_form::read(form, listing)?;
    let repeatable = repeatable(form, &wanted);
    let HoldForm { items, best_available } = wanted;
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
    match (rate_limits::with_promo_code(web, buyer, code, web.slices.ticketing.hold(command)).await, repeatable) {
        (Err(CommandError::Refused(refused)), Some(repeatable)) if refused.code == Code::RateLimited => {
            web.slices.ticketing.replay_hold_or(scope, buyer.session, &repeatable, refused).await
        }
        (outcome, _) => outcome,
    }
}

async fn check_limits(web: &Web, buyer: &BuyerSession) -> Result<(), Refusal> {
    buyer.check_write_limits(web).await?;
    rate_limits::check_hold(web, buyer).await
}

fn redirect_to_hold(web: &Web, scope: EventScope, view: &HoldView) -> Response {
    let token = web.slices.context.tokens.mint(TokenKind::Hold, scope, view.id);
    Redirect::to(&format!("/holds/{}?token={token}", view.id)).into_response()
}

/// The idempotency key of a choice: the key of the rendered page and a digest of the choice, so that another choice on the page is another hold.
fn repeatable(form: &Form, wanted: &HoldForm) -> Option<(String, [u8; 32])> {
    let page = form.get("key").filter(|key| key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    let mut hasher = Sha256::new();
    hasher.update(digest_text(wanted));
    hasher.update(form.get("code").unwrap_or_default());
    let digest: [u8; 32] = hasher.finalize().into();
    // The prefix keeps keys of pages apart from keys of the API.
    Some((format!("page/{page}/{}", STANDARD_NO_PAD.encode(digest)), digest))
}

/// The text of a choice under its idempotency key. Nodes of another version may answer the repeat, so the text is fixed: a renamed type may not change it.
fn digest_text(HoldForm { items, best_available }: &HoldForm) -> String {
    format!("Asked {{ items: {items:?}, best_available: {best_available} }}")
}

async fn refused(
    web: &Web,
    buyer: &BuyerSession,
    scope: EventScope,
    listing: &Arc<Listing>,
    form: &Form,
    refusal: &Refusal,
) -> HandlerResult<Response> {
    let shown = EventPageRequest::from_form(form, listing).refused(refusal, &listing.event.timezone);
    render(web, buyer, scope, listing, status_of(refusal.code.kind()), shown).await
}

#[cfg(test)]
mod tests {
    use voelgoed_app::ticketing::choose_places::HoldItem;
    use voelgoed_domain::ids::{AreaId, TicketTypeId};
    use voelgoed_domain::ticketing::place_number::PlaceNumber;

    use uuid::Uuid;

    use super::*;

    #[test]
    fn text_of_a_choice_is_that_of_the_versions_before() {
        let ticket_type = TicketTypeId::from_uuid(Uuid::from_u128(1));
        let area = AreaId::from_uuid(Uuid::from_u128(2));
        let items = vec![
            HoldItem::Place { place: PlaceNumber(7), ticket_type, accessible: true },
            HoldItem::Area { area, quantity: 3, ticket_type, accessible: 1, companions: 0 },
        ];
        assert_eq!(
            digest_text(&HoldForm { items, best_available: false }),
            "Asked { items: [Place { place: PlaceNumber(7), ticket_type: tt_00000000000000000000000000000001, accessible: true }, \
             Area { area: ar_00000000000000000000000000000002, quantity: 3, ticket_type: tt_00000000000000000000000000000001, \
             accessible: 1, companions: 0 }], best_available: false }"
        );
    }
}
