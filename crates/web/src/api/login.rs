//! Members log in to the console and out of it.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_app::accounts::log_in::{LASTS, log_in as log_in_command, log_out as log_out_command};
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{MemberId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use crate::extract::{Body, ClientAddress, LOGIN_COOKIE, Organizer};
use crate::problem::{Answer, Failure, Problem};
use crate::state::Web;

/// A login.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    email: String,
    password: String,
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

/// Counts a guess of a secret against the address.
///
/// # Errors
/// `rate_limited` with the time to wait.
pub async fn guess_limited(web: &Web, ClientAddress(address): ClientAddress) -> Result<(), Failure> {
    web.login_limiter.check(&address).await.map_err(|limited| {
        let refusal = Refusal::new(Code::RateLimited, "Too many tries. Wait a moment.");
        refusal.with(|evidence| evidence.retry_after = Some(limited.retry_after.as_seconds())).into()
    })
}

/// Logs a member in; the answer sets the cookie.
#[utoipa::path(post, path = "/api/v1/login", request_body = LoginBody, tag = "accounts",
    responses((status = 200, body = LoginDto), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub async fn log_in(State(web): State<Web>, address: ClientAddress, body: Body<LoginBody>) -> Answer<Response> {
    guess_limited(&web, address).await?;
    let login = log_in_command(&web.platform, &body.value.email, body.value.password).await?;
    let member = login.session.member;
    let dto = LoginDto {
        member: member.id,
        organization: member.organization,
        name: member.name,
        scopes: member.scopes,
        csrf: login.session.csrf,
        expires_at: login.session.expires_at,
        now: web.platform.environment.now(),
    };
    let mut response = Json(dto).into_response();
    set_cookie(&web, &mut response, &login.token, LASTS.as_secs());
    Ok(response)
}

/// Ends the login; repeating it changes nothing.
#[utoipa::path(post, path = "/api/v1/logout", tag = "accounts", responses((status = 204), (status = 401, body = Problem)))]
pub async fn log_out(State(web): State<Web>, _organizer: Organizer, headers: HeaderMap) -> Answer<Response> {
    if let Some(token) = crate::extract::cookie(&headers, LOGIN_COOKIE) {
        log_out_command(&web.platform, token).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&web, &mut response, "", 0);
    Ok(response)
}

fn set_cookie(web: &Web, response: &mut Response, token: &str, seconds: u64) {
    let secure = if web.settings.secure_cookies { "; Secure" } else { "" };
    let cookie = format!("{LOGIN_COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
