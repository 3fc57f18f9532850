//! Members: who they are, what they may, their passwords and logins.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_app::accounts::change_member::{
    MemberUpdate, change_member as change_member_command, change_own_password as change_own_password_command,
    end_logins as end_logins_command, logins as logins_query, reset_password as reset_password_command,
};
use voelgoed_app::accounts::create_member::{NewMember, create_member as create_member_command};
use voelgoed_app::accounts::ports::{Member, MemberLogin};
use voelgoed_app::error::Error;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{LoginId, MemberId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use super::created::{created, idempotent, or_replayed};
use super::login::set_cookie;
use super::paging::{ListDto, ListParams};
use crate::extract::{Body, ClientAddress, LOGIN_COOKIE, OptionalKey, Organizer, Params, PathId, PathIds};
use crate::problem::{Answer, Failure, Problem};
use crate::rates::refusal;
use crate::rendered::json;
use crate::state::Web;

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

/// A person who works for the organization.
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
    /// Since when they cannot log in, where they are disabled.
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

/// Adds a person who may log in to the console; nobody gives more than they have.
#[utoipa::path(post, path = "/api/v1/members", request_body = MemberBody, tag = "accounts",
    responses((status = 201, body = MemberDto), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub async fn create_member(
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    body: Body<MemberBody>,
) -> Answer<Response> {
    caller.may(Scope::Admin)?;
    let show = |found: &Member| json(&member(found));
    let MemberBody { name, email, password, scopes } = body.value;
    let new = NewMember { name, email, password, scopes };
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let command = create_member_command(&web.platform, caller.granter(), new, repeat);
    let outcome = caller.act(&web, "member.create", "", command).await;
    let outcome = or_replayed(&web, caller.organization, key.as_ref(), outcome).await?;
    Ok(created(outcome, show))
}

/// The members.
#[utoipa::path(get, path = "/api/v1/members", params(ListParams), tag = "accounts",
    responses((status = 200, body = ListDto<MemberDto>), (status = 403, body = Problem)))]
pub async fn list_members(
    State(web): State<Web>,
    caller: Organizer,
    Params(params): Params<ListParams>,
) -> Answer<Json<ListDto<MemberDto>>> {
    caller.may(Scope::Admin)?;
    let found = web.platform.accounts.members(caller.organization, params.page()?).await?;
    Ok(Json(ListDto::of(found, |found| member(&found))))
}

/// What is changed of a member; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberPatch {
    name: Option<String>,
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Option<Vec<Scope>>,
    /// True: they cannot log in, and all of their logins end.
    disabled: Option<bool>,
}

/// One member.
#[utoipa::path(get, path = "/api/v1/members/{member}", params(("member" = String, Path)), tag = "accounts",
    responses((status = 200, body = MemberDto), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn show_member(
    State(web): State<Web>,
    caller: Organizer,
    PathId(id): PathId<MemberId>,
) -> Answer<Json<MemberDto>> {
    caller.may(Scope::Admin)?;
    let found = web.platform.accounts.read_member(caller.organization, id).await?;
    let (found, _) = found.ok_or_else(Refusal::not_found)?;
    Ok(Json(member(&found)))
}

/// Renames, disables or enables a member, or gives them other scopes; nobody gives more than they have.
#[utoipa::path(patch, path = "/api/v1/members/{member}", params(("member" = String, Path)), request_body = MemberPatch, tag = "accounts",
    responses((status = 200, body = MemberDto), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "last_administrator")))]
pub async fn change_member(
    State(web): State<Web>,
    caller: Organizer,
    PathId(id): PathId<MemberId>,
    body: Body<MemberPatch>,
) -> Answer<Json<MemberDto>> {
    caller.may(Scope::Admin)?;
    let MemberPatch { name, scopes, disabled } = body.value;
    let update = MemberUpdate { name, scopes, disabled };
    let command = change_member_command(&web.platform, caller.granter(), id, update);
    Ok(Json(member(&caller.act(&web, "member.change", id, command).await?)))
}

/// A password for somebody else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    /// At least 12 characters, and hard to guess.
    password: String,
}

/// Gives a member another password and ends all of their logins; only for a member who may no more than the caller.
#[utoipa::path(post, path = "/api/v1/members/{member}/password", params(("member" = String, Path)), request_body = PasswordBody, tag = "accounts",
    responses((status = 204), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn reset_password(
    State(web): State<Web>,
    caller: Organizer,
    PathId(id): PathId<MemberId>,
    body: Body<PasswordBody>,
) -> Answer<StatusCode> {
    caller.may(Scope::Admin)?;
    let command = reset_password_command(&web.platform, caller.granter(), id, body.value.password);
    caller.act(&web, "member.reset_password", id, command).await?;
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
    body: Body<OwnPasswordBody>,
) -> Answer<Response> {
    let id = caller.member.ok_or_else(|| Refusal::invalid("Authorization", "A key has no password; log in."))?;
    let checked = web.login_limiter.check(&address).await;
    checked.map_err(|limited| refusal(limited, "Too many tries from this address. Wait a moment."))?;
    // Whoever found an open browser must not guess from many addresses what the owner's password is.
    let account = format!("own password of {id}");
    let attempt = web.login_limits.begin(&web.platform.master, &account, address, None).await?;
    let OwnPasswordBody { old_password, new_password } = body.value;
    let command = change_own_password_command(&web.platform, caller.organization, id, old_password, new_password);
    let changed = caller.act(&web, "member.change_password", id, command).await;
    if !matches!(&changed, Err(Error::Refused(refusal)) if refusal.code == Code::WrongPassword) {
        attempt.give_back();
    }
    changed?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&web, &mut response, LOGIN_COOKIE, "", 0);
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

/// Members see and end their own logins, administrators those of others.
fn own_or_admin(caller: &Organizer, id: MemberId) -> Result<(), Failure> {
    if caller.member != Some(id) {
        caller.may(Scope::Admin)?;
    }
    Ok(())
}

/// A member's logins that are not over, oldest first.
#[utoipa::path(get, path = "/api/v1/members/{member}/logins", params(("member" = String, Path)), tag = "accounts",
    responses((status = 200, body = ListDto<LoginLineDto>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn list_logins(
    State(web): State<Web>,
    caller: Organizer,
    PathId(id): PathId<MemberId>,
) -> Answer<Json<ListDto<LoginLineDto>>> {
    own_or_admin(&caller, id)?;
    let found = logins_query(&web.platform, caller.organization, id).await?;
    Ok(Json(ListDto::whole(found.into_iter().map(login).collect())))
}

/// Ends all logins of a member; repeating it changes nothing.
#[utoipa::path(delete, path = "/api/v1/members/{member}/logins", params(("member" = String, Path)), tag = "accounts",
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn end_logins(State(web): State<Web>, caller: Organizer, PathId(id): PathId<MemberId>) -> Answer<StatusCode> {
    own_or_admin(&caller, id)?;
    let command = end_logins_command(&web.platform, caller.organization, id, None);
    caller.act(&web, "member.end_logins", id, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one login of a member.
#[utoipa::path(delete, path = "/api/v1/members/{member}/logins/{login}", params(("member" = String, Path), ("login" = String, Path)), tag = "accounts",
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn end_login(
    State(web): State<Web>,
    caller: Organizer,
    PathIds(id, login): PathIds<MemberId, LoginId>,
) -> Answer<StatusCode> {
    own_or_admin(&caller, id)?;
    let command = end_logins_command(&web.platform, caller.organization, id, Some(login));
    caller.act(&web, "member.end_login", login, command).await?;
    Ok(StatusCode::NO_CONTENT)
}
