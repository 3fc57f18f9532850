//! Lets buyers hold places for a limited time, change a hold, and release it.

mod dto;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use utoipa_axum::routes;
use voelgoed_app::error::CommandError;
use voelgoed_app::ticketing::Ticketing;
use voelgoed_app::ticketing::change_hold::ChangeHold;
use voelgoed_app::ticketing::hold::HoldCommand;
use voelgoed_app::ticketing::hold_view::HoldView;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::ids::{EventId, HoldId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_resilience::Capability;

use self::dto::{ChangeBody, HoldBody, HoldDto, parse_items};
use super::events::located;
use super::idempotent_response::REPLAYED_HEADER;
use crate::extract::{BuyerSession, BuyerToken, JsonBody, OptionalKey, PathId};
use crate::json_bytes::json;
use crate::json_response::json_response;
use crate::problem::{HandlerResult, Problem};
use crate::rate_limits;
use crate::routes::{Access, Class, Route, api};
use crate::state::Web;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(create), Access::Buyer, Ticketing::NAME).class(Class::Hold).requires(Capability::Hold).of_a_sale(),
        api(routes!(show), Access::Token, Ticketing::NAME).class(Class::Hold).of_a_sale(),
        api(routes!(change), Access::Token, Ticketing::NAME).class(Class::Hold).requires(Capability::Hold).of_a_sale(),
        api(routes!(release), Access::Token, Ticketing::NAME).class(Class::Hold).of_a_sale(),
    ]
}

/// Renders a hold with its token.
fn hold_response(web: &Web, status: StatusCode, view: HoldView) -> Response {
    let token = web.slices.context.tokens.mint(TokenKind::Hold, view.scope, view.id);
    let replayed = view.replayed;
    let mut response = json_response(status, json(&HoldDto::new(view, token)));
    if replayed {
        response.headers_mut().insert(REPLAYED_HEADER, HeaderValue::from_static("true"));
    }
    response
}

/// Holds places for a limited time, all or nothing.
#[utoipa::path(post, path = "/api/v1/events/{event}/holds", params(("event" = String, Path)), request_body = HoldBody, tag = "ticketing",
    responses((status = 201, body = HoldDto), (status = 409, body = Problem, description = "place_taken, sold_out, limit_reached, sale_closed"),
        (status = 429, body = Problem), (status = 503, body = Problem)))]
pub async fn create(
    State(web): State<Web>,
    PathId(event): PathId<EventId>,
    buyer: BuyerSession,
    key: OptionalKey,
    body: JsonBody<HoldBody>,
) -> HandlerResult<Response> {
    let repeatable = key.text().map(|key| (key, body.digest));
    if let Err(refused) = check_limits(&web, &buyer).await {
        let Some(repeatable) = repeatable else { return Err(refused.into()) };
        let scope = located(&web, event).await?;
        let view = web.slices.ticketing.replay_hold_or(scope, buyer.session, &repeatable, refused).await?;
        return Ok(hold_response(&web, StatusCode::CREATED, view));
    }
    let scope = located(&web, event).await?;
    let command = HoldCommand {
        scope,
        session: buyer.session,
        address: Some(buyer.address),
        items: parse_items(body.value.items, "items")?,
        best_available: body.value.best_available,
        code: body.value.code,
        repeatable,
    };
    let (code, repeatable) = (command.code.clone(), command.repeatable.clone());
    let held = rate_limits::with_promo_code(&web, &buyer, code.as_deref(), web.slices.ticketing.hold(command)).await;
    let view = match (held, repeatable) {
        (Err(CommandError::Refused(refused)), Some(repeatable)) if refused.code == Code::RateLimited => {
            web.slices.ticketing.replay_hold_or(scope, buyer.session, &repeatable, refused).await?
        }
        (held, _) => held?,
    };
    Ok(hold_response(&web, StatusCode::CREATED, view))
}

/// Counts a hold against the limits of session and address.
async fn check_limits(web: &Web, buyer: &BuyerSession) -> Result<(), Refusal> {
    buyer.check_write_limits(web).await?;
    rate_limits::check_hold(web, buyer).await
}

/// A hold that has not expired.
#[utoipa::path(get, path = "/api/v1/holds/{hold}", params(("hold" = String, Path)), tag = "ticketing",
    responses((status = 200, body = HoldDto), (status = 404, body = Problem), (status = 410, body = Problem)))]
pub async fn show(State(web): State<Web>, PathId(id): PathId<HoldId>, token: BuyerToken) -> HandlerResult<Response> {
    let scope = web.slices.ticketing.scope_of_hold_token(id, &token.0)?;
    Ok(hold_response(&web, StatusCode::OK, web.slices.ticketing.read_hold(scope, id).await?))
}

/// Adds places, gives some back, or applies a promo code, all or nothing; the end of the hold does not move.
#[utoipa::path(patch, path = "/api/v1/holds/{hold}", params(("hold" = String, Path)), request_body = ChangeBody, tag = "ticketing",
    responses((status = 200, body = HoldDto), (status = 404, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem)))]
pub async fn change(
    State(web): State<Web>,
    PathId(hold): PathId<HoldId>,
    buyer: BuyerSession,
    token: BuyerToken,
    key: OptionalKey,
    body: JsonBody<ChangeBody>,
) -> HandlerResult<Response> {
    let scope = web.slices.ticketing.scope_of_hold_token(hold, &token.0)?;
    let ChangeBody { add, remove, code } = body.value;
    if add.is_empty() && remove.is_empty() && code.is_none() {
        return Err(Refusal::invalid("body", "Give `add`, `remove`, `code` or several of them.").into());
    }
    let remove = remove.into_iter().map(PlaceNumber).collect();
    let repeatable = key.text().map(|key| (key, body.digest));
    let change = ChangeHold { scope, hold, add: parse_items(add, "add")?, remove, code, repeatable };
    if let Err(refused) = buyer.check_write_limits(&web).await {
        return Ok(hold_response(&web, StatusCode::OK, web.slices.ticketing.replay_change_or(&change, refused).await?));
    }
    let command = web.slices.ticketing.change_hold(change.clone());
    let changed = match rate_limits::with_promo_code(&web, &buyer, change.code.as_deref(), command).await {
        Err(CommandError::Refused(refused)) if refused.code == Code::RateLimited => {
            web.slices.ticketing.replay_change_or(&change, refused).await
        }
        changed => changed,
    };
    Ok(hold_response(&web, StatusCode::OK, changed.map_err(rename_items_to_add)?))
}

/// The command names a field of added items `items`; in this body the field is `add`.
fn rename_items_to_add(error: CommandError) -> CommandError {
    let CommandError::Refused(refusal) = error else { return error };
    let name = refusal.evidence.field.as_deref().and_then(|field| field.strip_prefix("items"));
    let name = name.map(|rest| format!("add{rest}"));
    CommandError::Refused(refusal.with(|evidence| evidence.field = name.or(evidence.field.take())))
}

/// Gives the places back; repeating it changes nothing.
#[utoipa::path(delete, path = "/api/v1/holds/{hold}", params(("hold" = String, Path)), tag = "ticketing",
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem, description = "already_ordered")))]
pub async fn release(
    State(ticketing): State<Arc<Ticketing>>,
    PathId(id): PathId<HoldId>,
    token: BuyerToken,
) -> HandlerResult<StatusCode> {
    let scope = ticketing.scope_of_hold_token(id, &token.0)?;
    ticketing.release_hold(scope, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
