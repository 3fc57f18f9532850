//! Lets administrators manage members, their scopes, passwords and logins; and members their own password and logins.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use voelgoed_app::accounts::Accounts;
use voelgoed_app::accounts::change_member::MemberUpdate;
use voelgoed_app::accounts::create_member::NewMember;
use voelgoed_app::accounts::ports::{Member, MemberLogin};
use voelgoed_app::error::CommandError;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{LoginId, MemberId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use super::idempotent_response::{created_response, idempotent};
use super::login::set_strict_cookie;
use super::paging::{ListDto, ListParams};
use crate::extract::{ClientAddress, JsonBody, LOGIN_COOKIE, OptionalKey, Organizer, PathId, PathIds, QueryParams};
use crate::json_bytes::json;
use crate::problem::{Failure, HandlerResult, Problem};
use crate::rate_limit_refusal::rate_limit_refusal;
use crate::routes::{Access, Route, api};
use crate::state::Web;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(create_member), Access::Organizer(Scope::Admin), Accounts::NAME),
        api(routes!(list_members), Access::Organizer(Scope::Admin), Accounts::NAME),
        api(routes!(show_member), Access::Organizer(Scope::Admin), Accounts::NAME),
        api(routes!(change_member), Access::Organizer(Scope::Admin), Accounts::NAME),
        api(routes!(reset_password), Access::Organizer(Scope::Admin), Accounts::NAME),
        api(routes!(change_own_password), Access::AnyOrganizer, Accounts::NAME),
        api(routes!(list_logins), Access::AnyOrganizer, Accounts::NAME),
        api(routes!(end_logins), Access::AnyOrganizer, Accounts::NAME),
        api(routes!(end_login), Access::AnyOrganizer, Accounts::NAME),
    ]
}

/// A person to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberBody {
    name: String,
    email: String,
    /// At least 12 characters, and hard to guess.
    password: String,
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
}

/// A member of the organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberDto {
    #[schema(value_type = String)]
    id: MemberId,
    name: String,
    email: String,
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When the member was disabled; a disabled member cannot log in.
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
}

fn member(found: &Member) -> MemberDto {
    MemberDto {
        id: found.id,
        name: found.name.clone(),
        email: found.email.clone(),
        scopes: found.scopes.clone(),
        created_at: found.created_at,
        disabled_at: found.disabled_at,
    }
}

/// Adds a person who can log in to the console; a caller grants no scope that it has not.
#[utoipa::path(post, path = "/api/v1/members", request_body = MemberBody, tag = "accounts",
    responses((status = 201, body = MemberDto), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub async fn create_member(
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    key: OptionalKey,
    body: JsonBody<MemberBody>,
) -> HandlerResult<Response> {
    let show = |found: &Member| json(&member(found));
    let MemberBody { name, email, password, scopes } = body.value;
    let new = NewMember { name, email, password, scopes };
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let command = accounts.create_member(caller.granter(), new, repeat);
    let outcome = caller.act("member.create", "", command).await;
    let outcome = caller.outcome_or_replay(key.as_ref(), outcome).await?;
    Ok(created_response(outcome, show))
}

/// The members.
#[utoipa::path(get, path = "/api/v1/members", params(ListParams), tag = "accounts",
    responses((status = 200, body = ListDto<MemberDto>), (status = 403, body = Problem)))]
pub async fn list_members(
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    QueryParams(params): QueryParams<ListParams>,
) -> HandlerResult<Json<ListDto<MemberDto>>> {
    let found = accounts.store.members(caller.organization, params.page()?).await?;
    Ok(Json(ListDto::of(found, |found| member(&found))))
}

/// A change of a member; absent fields stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberPatch {
    name: Option<String>,
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Option<Vec<Scope>>,
    /// True: the member cannot log in, and all of their logins end.
    disabled: Option<bool>,
}

/// One member.
#[utoipa::path(get, path = "/api/v1/members/{member}", params(("member" = String, Path)), tag = "accounts",
    responses((status = 200, body = MemberDto), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn show_member(
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    PathId(id): PathId<MemberId>,
) -> HandlerResult<Json<MemberDto>> {
    let found = accounts.store.read_member(caller.organization, id).await?;
    let (found, _) = found.ok_or_else(Refusal::not_found)?;
    Ok(Json(member(&found)))
}

/// Renames, disables or enables a member, or sets their scopes; a caller grants no scope that it has not.
#[utoipa::path(patch, path = "/api/v1/members/{member}", params(("member" = String, Path)), request_body = MemberPatch, tag = "accounts",
    responses((status = 200, body = MemberDto), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "last_administrator")))]
pub async fn change_member(
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    PathId(id): PathId<MemberId>,
    body: JsonBody<MemberPatch>,
) -> HandlerResult<Json<MemberDto>> {
    let MemberPatch { name, scopes, disabled } = body.value;
    let update = MemberUpdate { name, scopes, disabled };
    let command = accounts.change_member(caller.granter(), id, update);
    Ok(Json(member(&caller.act("member.change", id, command).await?)))
}

/// A new password of another member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    /// At least 12 characters, and hard to guess.
    password: String,
}

/// Sets the password of a member and ends all of their logins; only for a member with no scope that the caller has not.
#[utoipa::path(post, path = "/api/v1/members/{member}/password", params(("member" = String, Path)), request_body = PasswordBody, tag = "accounts",
    responses((status = 204), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn reset_password(
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    PathId(id): PathId<MemberId>,
    body: JsonBody<PasswordBody>,
) -> HandlerResult<StatusCode> {
    let command = accounts.reset_password(caller.granter(), id, body.value.password);
    caller.act("member.reset_password", id, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A member's own new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPasswordBody {
    old_password: String,
    /// At least 12 characters, and hard to guess.
    new_password: String,
}

/// Changes the caller's own password and ends all of their logins, this one included.
#[utoipa::path(post, path = "/api/v1/members/me/password", request_body = OwnPasswordBody, tag = "accounts",
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 409, body = Problem, description = "wrong_password"), (status = 429, body = Problem)))]
pub async fn change_own_password(
    State(web): State<Web>,
    caller: Organizer,
    ClientAddress(address): ClientAddress,
    body: JsonBody<OwnPasswordBody>,
) -> HandlerResult<Response> {
    let id = caller.member.ok_or_else(|| Refusal::invalid("Authorization", "A key has no password; log in."))?;
    let checked = web.login_address_limiter.check(&address).await;
    checked.map_err(|limited| rate_limit_refusal(limited, "Too many attempts from this address. Wait a moment."))?;
    // A stranger at an open browser must not try passwords from many addresses.
    let account = format!("own password of {id}");
    let attempt = web.login_limits.begin(&web.slices.context.master, &account, address, None).await?;
    let OwnPasswordBody { old_password, new_password } = body.value;
    let command = web.slices.accounts.change_own_password(caller.organization, id, old_password, new_password);
    let changed = caller.act("member.change_password", id, command).await;
    if !matches!(&changed, Err(CommandError::Refused(refusal)) if refusal.code == Code::WrongPassword) {
        attempt.give_back();
    }
    changed?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_strict_cookie(&web, &mut response, LOGIN_COOKIE, "", 0);
    Ok(response)
}

/// A login of a member.
#[derive(Debug, Serialize, ToSchema)]
pub struct LoginLineDto {
    #[schema(value_type = String)]
    id: LoginId,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

fn login(found: MemberLogin) -> LoginLineDto {
    LoginLineDto { id: found.id, created_at: found.created_at, expires_at: found.expires_at }
}

/// Members see and end their own logins, administrators those of others too.
fn check_own_or_admin(caller: &Organizer, id: MemberId) -> Result<(), Failure> {
    if caller.member != Some(id) {
        caller.may(Scope::Admin)?;
    }
    Ok(())
}

/// A member's current logins, oldest first.
#[utoipa::path(get, path = "/api/v1/members/{member}/logins", params(("member" = String, Path)), tag = "accounts",
    responses((status = 200, body = ListDto<LoginLineDto>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn list_logins(
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    PathId(id): PathId<MemberId>,
) -> HandlerResult<Json<ListDto<LoginLineDto>>> {
    check_own_or_admin(&caller, id)?;
    let found = accounts.logins(caller.organization, id).await?;
    Ok(Json(ListDto::whole(found.into_iter().map(login).collect())))
}

/// Ends all logins of a member; repeating it changes nothing.
#[utoipa::path(delete, path = "/api/v1/members/{member}/logins", params(("member" = String, Path)), tag = "accounts",
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn end_logins(
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    PathId(id): PathId<MemberId>,
) -> HandlerResult<StatusCode> {
    check_own_or_admin(&caller, id)?;
    let command = accounts.end_logins(caller.organization, id, None);
    caller.act("member.end_logins", id, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one login of a member.
#[utoipa::path(delete, path = "/api/v1/members/{member}/logins/{login}", params(("member" = String, Path), ("login" = String, Path)), tag = "accounts",
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn end_login(
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    PathIds(id, login): PathIds<MemberId, LoginId>,
) -> HandlerResult<StatusCode> {
    check_own_or_admin(&caller, id)?;
    let command = accounts.end_logins(caller.organization, id, Some(login));
    caller.act("member.end_login", login, command).await?;
    Ok(StatusCode::NO_CONTENT)
}
