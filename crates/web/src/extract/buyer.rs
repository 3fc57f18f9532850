//! Buyers: nobody logs in. A session is a signed anonymous cookie or `X-Session`, set on first contact; a token proves a hold or an order.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use voelgoed_app::environment::fresh;
use voelgoed_domain::ids::SessionId;
use voelgoed_domain::refusal::{Code, Refusal};

use super::ClientAddress;
use crate::problem::Failure;
use crate::state::Web;

/// The cookie of a buyer's session.
pub const SESSION_COOKIE: &str = "vg_session";
/// The header that carries it for clients without cookies.
pub const SESSION_HEADER: &str = "x-session";
/// A session lasts as long as a browser keeps it, at most this many seconds.
const SESSION_SECONDS: u32 = 90 * 24 * 3600;

/// A buyer's session.
#[derive(Debug, Clone, Copy)]
pub struct Buyer {
    /// Which session.
    pub session: SessionId,
    /// From which address.
    pub address: std::net::IpAddr,
}

impl FromRequestParts<Web> for Buyer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
        let session = parts.extensions.get::<SessionId>().copied();
        let session =
            session.ok_or_else(|| voelgoed_app::error::Fault::internal("a buyer's route without its session layer"))?;
        Ok(Self { session, address })
    }
}

impl Buyer {
    /// Counts a write against the limits of session and address.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub async fn limited(&self, web: &Web) -> Result<(), Refusal> {
        let slower = |limited: voelgoed_resilience::rate_limit::RateLimited| {
            let seconds = limited.retry_after.as_seconds();
            let refusal = Refusal::new(Code::RateLimited, "Too many requests. Wait a moment.");
            refusal.with(|evidence| evidence.retry_after = Some(seconds))
        };
        // The address first: sessions cost nothing to make, and must not fill the other limiter's memory.
        web.address_limiter.check_here(&self.address).map_err(slower)?;
        web.session_limiter.check_here(&self.session).map_err(slower)?;
        // Where the other nodes must be asked, for both at once.
        let (address, session) = futures::join!(
            web.address_limiter.check_shared(&self.address),
            web.session_limiter.check_shared(&self.session)
        );
        address.and(session).map_err(slower)
    }
}

/// Gives every buyer's request its session, and tells a new one to the client.
pub async fn session_layer(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let known = presented(request.headers()).and_then(|text| web.platform.tokens.read_session(&text));
    let session = known.map_or_else(|| fresh(&*web.platform.environment), SessionId::from_uuid);
    request.extensions_mut().insert(session);
    let mut response = next.run(request).await;
    // A cached page must not carry somebody's session.
    let shared = response
        .headers()
        .get(header::CACHE_CONTROL)
        .is_some_and(|value| value.to_str().is_ok_and(|text| text.contains("public")));
    if known.is_none() && !shared {
        let token = web.platform.tokens.mint_session(session.uuid());
        let secure = if web.settings.secure_cookies { "; Secure" } else { "" };
        let cookie =
            format!("{SESSION_COOKIE}={token}; Path=/; Max-Age={SESSION_SECONDS}; HttpOnly; SameSite=Lax{secure}");
        if let (Ok(cookie), Ok(token)) = (HeaderValue::from_str(&cookie), HeaderValue::from_str(&token)) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response.headers_mut().insert(SESSION_HEADER, token);
        }
    }
    response
}

fn presented(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(SESSION_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    header.or_else(|| cookie(headers, SESSION_COOKIE))
}

/// The value of a cookie.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// The token of a hold, an order or a ticket: `X-Token`, or `?token=` for pages, images and streams.
#[derive(Debug, Clone)]
pub struct BuyerToken(pub String);

impl FromRequestParts<Web> for BuyerToken {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Failure> {
        let header = parts.headers.get("x-token").and_then(|value| value.to_str().ok());
        let query = || parts.uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="));
        match header.or_else(query) {
            Some(token) => Ok(Self(token.to_owned())),
            None => Err(Refusal::not_found().into()),
        }
    }
}
