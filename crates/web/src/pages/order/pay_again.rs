//! Starts another payment attempt from the form of an order whose payment failed, while its places are kept.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use voelgoed_app::error::CommandError;
use voelgoed_app::idempotency::Idempotent;
use voelgoed_app::payments::ports::PaymentChoice;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::ids::OrderId;
use voelgoed_domain::refusal::{Refusal, RefusalKind};

use super::render;
use crate::extract::{BuyerSession, PathId};
use crate::pages::degraded_notice::{UNAVAILABLE, is_unavailable};
use crate::pages::form::Form;
use crate::pages::hold::order::{idempotency_key, stored_response};
use crate::pages::hold::redirect_to_order;
use crate::pages::refusal_sentences::sentence;
use crate::problem::{HandlerResult, status_of};
use crate::state::Web;

/// Handles the form.
pub async fn create(
    State(web): State<Web>,
    PathId(order): PathId<OrderId>,
    buyer: BuyerSession,
    form: Form,
) -> HandlerResult<Response> {
    let scope = web.slices.checkout.scope_of_token(order, form.must("token")?).await?;
    // A repeat of an accepted attempt is answered even above the limit.
    if let Err(refused) = buyer.check_write_limits(&web).await {
        web.slices
            .checkout
            .replays
            .replay_or::<()>(scope.organization, &idempotency_key(&form, order)?, refused.into())
            .await?;
        return Ok(redirect_to_order(&web, scope, order));
    }
    let Some((provider, method)) = form.get("method").and_then(|method| method.split_once(':')) else {
        let refusal = Refusal::invalid("method", "Choose how you want to pay.");
        return refused(&web, scope, order, &refusal).await;
    };
    let choice = PaymentChoice { provider: provider.to_owned(), method: method.to_owned() };
    let idempotent = Idempotent { key: idempotency_key(&form, order)?, render: &stored_response };
    match web.slices.payments.pay_again(scope, order, choice, idempotent).await {
        Ok(_) => Ok(redirect_to_order(&web, scope, order)),
        Err(CommandError::Refused(refusal))
            if matches!(refusal.code.kind(), RefusalKind::Conflict | RefusalKind::Invalid) =>
        {
            refused(&web, scope, order, &refusal).await
        }
        Err(error) if is_unavailable(&error) => {
            render(&web, scope, order, StatusCode::SERVICE_UNAVAILABLE, Some(UNAVAILABLE.to_owned())).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn refused(web: &Web, scope: EventScope, order: OrderId, refusal: &Refusal) -> HandlerResult<Response> {
    let listing = web.slices.catalog.listings.listing(scope).await?;
    let notice = Some(sentence(refusal, &listing.event.timezone));
    render(web, scope, order, status_of(refusal.code.kind()), notice).await
}
