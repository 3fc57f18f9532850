//! Members log in to the console and out of it.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_app::accounts::log_in::{LASTS, Login, log_in as log_in_command, log_out as log_out_command};
use voelgoed_app::error::Error;
use voelgoed_domain::accounts::identity::email_key;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{MemberId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use crate::extract::{Body, ClientAddress, CookieName, LOGIN_COOKIE, Organizer};
use crate::login_limits::{FAMILIAR_COOKIE, FAMILIAR_SECONDS, familiar_cookie};
use crate::problem::{Answer, Problem};
use crate::rates::refusal;
use crate::state::Web;

/// A login.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    email: String,
    password: String,
    /// The organization, by slug or identifier; needed where the address and password are known to several.
    organization: Option<String>,
}

/// Who logged in.
#[derive(Debug, Serialize, ToSchema)]
pub struct LoginDto {
    #[schema(value_type = String)]
    member: MemberId,
    #[schema(value_type = String)]
    organization: OrganizationId,
    name: String,
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// Send it as `X-CSRF-Token` with every write.
    csrf: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
}

/// Checks the password where the limits of address and account allow, and the address has no other one in work.
async fn limited(web: &Web, address: IpAddr, body: LoginBody, browser: Option<&str>) -> Result<Login, Error> {
    let checked = web.login_limiter.check(&address).await;
    checked.map_err(|limited| refusal(limited, "Too many logins from this address. Wait a moment."))?;
    // Counted by what the account is found by, however the address is typed.
    let account = email_key(&body.email);
    let attempt = web.login_limits.begin(&web.platform.master, &account, address, browser).await?;
    let command = log_in_command(&web.platform, &body.email, body.password, body.organization.as_deref());
    let login = web.login_shares.within(address, command).await.unwrap_or_else(|_full| {
        let refusal = Refusal::new(Code::Overloaded, "Too many logins from this address wait. Try again in a moment.");
        Err(refusal.with(|evidence| evidence.retry_after = Some(1)).into())
    });
    match &login {
        Ok(_) => attempt.succeeded(),
        Err(Error::Refused(refusal)) if refusal.code == Code::Unauthenticated => {}
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
    body: Body<LoginBody>,
) -> Answer<Response> {
    let account = email_key(&body.value.email);
    let login =
        limited(&web, address, body.value, crate::extract::cookie(&headers, FAMILIAR_COOKIE.of(&web.settings))).await?;
    let member = login.session.member;
    let dto = LoginDto {
        member: member.id,
        organization: member.organization,
        name: member.name,
        scopes: member.scopes,
        csrf: login.csrf,
        expires_at: login.session.expires_at,
        now: web.platform.environment.now(),
    };
    let mut response = Json(dto).into_response();
    set_cookie(&web, &mut response, LOGIN_COOKIE, &login.token, LASTS.as_secs());
    let familiar = familiar_cookie(&web.platform.master, &account, &web.platform.environment.random());
    set_cookie(&web, &mut response, FAMILIAR_COOKIE, &familiar, FAMILIAR_SECONDS);
    Ok(response)
}

/// Ends the login; repeating it changes nothing.
#[utoipa::path(post, path = "/api/v1/logout", tag = "accounts", responses((status = 204), (status = 401, body = Problem)))]
pub async fn log_out(State(web): State<Web>, _organizer: Organizer, headers: HeaderMap) -> Answer<Response> {
    if let Some(token) = crate::extract::cookie(&headers, LOGIN_COOKIE.of(&web.settings)) {
        log_out_command(&web.platform, token).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&web, &mut response, LOGIN_COOKIE, "", 0);
    Ok(response)
}

/// Sets a cookie; no seconds end it.
pub fn set_cookie(web: &Web, response: &mut Response, name: CookieName, value: &str, seconds: u64) {
    let name = name.of(&web.settings);
    let secure = if web.settings.secure_cookies { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
