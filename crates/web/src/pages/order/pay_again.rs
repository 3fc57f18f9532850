//! The form of a failed payment: another attempt while the places are kept.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use voelgoed_app::checkout::place_order::PaymentChoice;
use voelgoed_app::checkout::read_order::scope_of_token;
use voelgoed_app::error::Error;
use voelgoed_app::idempotency::{Idempotent, replay_or};
use voelgoed_app::payments::pay_again::pay_again;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::ids::OrderId;
use voelgoed_domain::refusal::{Nature, Refusal};

use super::render;
use crate::extract::{Buyer, PathId};
use crate::pages::form::Form;
use crate::pages::hold::order::{key, written};
use crate::pages::hold::to_order;
use crate::pages::less::{AWAY, is_away};
use crate::pages::sentences::sentence;
use crate::problem::{Answer, status_of};
use crate::state::Web;

/// The form.
pub async fn create(
    State(web): State<Web>,
    PathId(order): PathId<OrderId>,
    buyer: Buyer,
    form: Form,
) -> Answer<Response> {
    let scope = scope_of_token(&web.platform, order, form.must("token")?).await?;
    if let Err(refused) = buyer.limited(&web).await {
        replay_or::<()>(&web.platform, scope.organization, &key(&form, order)?, refused.into()).await?;
        return Ok(to_order(&web, scope, order));
    }
    let Some((provider, method)) = form.get("method").and_then(|method| method.split_once(':')) else {
        let refusal = Refusal::invalid("method", "Choose how you want to pay.");
        return refused(&web, scope, order, &refusal).await;
    };
    let choice = PaymentChoice { provider: provider.to_owned(), method: method.to_owned() };
    let idempotent = Idempotent { key: key(&form, order)?, render: &written };
    match pay_again(&web.platform, scope, order, choice, idempotent).await {
        Ok(_) => Ok(to_order(&web, scope, order)),
        Err(Error::Refused(refusal)) if matches!(refusal.code.nature(), Nature::Conflict | Nature::Invalid) => {
            refused(&web, scope, order, &refusal).await
        }
        Err(error) if is_away(&error) => {
            render(&web, scope, order, StatusCode::SERVICE_UNAVAILABLE, Some(AWAY.to_owned())).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn refused(web: &Web, scope: EventScope, order: OrderId, refusal: &Refusal) -> Answer<Response> {
    let listing = web.platform.listings.listing(scope).await?;
    let notice = Some(sentence(refusal, &listing.event.timezone));
    render(web, scope, order, status_of(refusal.code.nature()), notice).await
}
