//! Logs members in to the console and out of it, by a cookie.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use voelgoed_app::accounts::Accounts;
use voelgoed_app::accounts::log_in::{LOGIN_TTL, Login};
use voelgoed_app::error::CommandError;
use voelgoed_domain::accounts::email::counting_key;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{MemberId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use crate::cookies::{CookieName, SameSite, cookie, set_cookie};
use crate::extract::{ClientAddress, JsonBody, LOGIN_COOKIE, Organizer};
use crate::login_limits::{FAMILIAR_COOKIE, FAMILIAR_SECONDS, familiar_cookie};
use crate::problem::{HandlerResult, Problem};
use crate::rate_limit_refusal::rate_limit_refusal;
use crate::routes::{Access, Route, api};
use crate::state::Web;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(log_in), Access::Anyone, Accounts::NAME),
        api(routes!(log_out), Access::AnyOrganizer, Accounts::NAME),
    ]
}

/// A login.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    email: String,
    password: String,
    /// The organization, by slug or identifier; required where the e-mail and password match members of several organizations.
    organization: Option<String>,
}

/// The member who logged in.
#[derive(Debug, Serialize, ToSchema)]
pub struct LoginDto {
    #[schema(value_type = String)]
    member: MemberId,
    #[schema(value_type = String)]
    organization: OrganizationId,
    name: String,
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// Sent as `X-CSRF-Token` with every write.
    csrf: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
}

/// Checks the password within the limits of the client address and of the account.
async fn limited_log_in(
    web: &Web,
    client_address: IpAddr,
    body: LoginBody,
    browser: Option<&str>,
) -> Result<Login, CommandError> {
    let checked = web.login_address_limiter.check(&client_address).await;
    checked.map_err(|limited| rate_limit_refusal(limited, "Too many logins from this address. Wait a moment."))?;
    // All spellings of an e-mail count as one account.
    let account = counting_key(&body.email);
    let attempt = web.login_limits.begin(&web.slices.context.master, &account, client_address, browser).await?;
    let command = web.slices.accounts.log_in(&body.email, body.password, body.organization.as_deref());
    let login = web.login_bulkhead.run(client_address, command).await.unwrap_or_else(|_full| {
        let refusal =
            Refusal::new(Code::Overloaded, "Too many logins from this address are waiting. Try again in a moment.");
        Err(refusal.with(|evidence| evidence.retry_after = Some(1)).into())
    });
    match &login {
        Ok(_) => attempt.succeeded(),
        // A wrong password: the dropped attempt stays counted.
        Err(CommandError::Refused(refusal)) if refusal.code == Code::Unauthenticated => {}
        Err(_) => attempt.give_back(),
    }
    login
}

/// Logs a member in; the answer sets the cookie.
#[utoipa::path(post, path = "/api/v1/login", request_body = LoginBody, tag = "accounts",
    responses((status = 200, body = LoginDto), (status = 401, body = Problem),
        (status = 409, body = Problem, description = "organization_required"), (status = 429, body = Problem)))]
pub async fn log_in(
    State(web): State<Web>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    body: JsonBody<LoginBody>,
) -> HandlerResult<Response> {
    let account = counting_key(&body.value.email);
    let login = limited_log_in(&web, address, body.value, cookie(&headers, FAMILIAR_COOKIE.of(&web.settings))).await?;
    let member = login.session.member;
    let dto = LoginDto {
        member: member.id,
        organization: member.organization,
        name: member.name,
        scopes: member.scopes,
        csrf: login.csrf,
        expires_at: login.session.expires_at,
        now: web.slices.context.now(),
    };
    let mut response = Json(dto).into_response();
    set_strict_cookie(&web, &mut response, LOGIN_COOKIE, &login.token, LOGIN_TTL.as_secs());
    let familiar = familiar_cookie(&web.slices.context.master, &account, &web.slices.context.environment.random());
    set_strict_cookie(&web, &mut response, FAMILIAR_COOKIE, &familiar, FAMILIAR_SECONDS);
    Ok(response)
}

/// Ends the login; repeating it changes nothing.
#[utoipa::path(post, path = "/api/v1/logout", tag = "accounts", responses((status = 204), (status = 401, body = Problem)))]
pub async fn log_out(State(web): State<Web>, _organizer: Organizer, headers: HeaderMap) -> HandlerResult<Response> {
    if let Some(token) = cookie(&headers, LOGIN_COOKIE.of(&web.settings)) {
        web.slices.accounts.log_out(token).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_strict_cookie(&web, &mut response, LOGIN_COOKIE, "", 0);
    Ok(response)
}

/// Sets a cookie that no other site causes to be sent; 0 seconds remove it.
pub fn set_strict_cookie(web: &Web, response: &mut Response, name: CookieName, value: &str, seconds: u64) {
    set_cookie(&web.settings, response, name, value, seconds, SameSite::Strict);
}
