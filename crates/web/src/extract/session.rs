//! A buyer's session: a signed anonymous cookie or `X-Session`, given on first contact and known again afterwards.
//!
//! Never: a store, or a session in an answer that caches share. A layer of its own type, since every request of a sale passes it: whoever brings a session
//! costs no copy of it and no future.

use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use futures::TryFutureExt;
use futures::future::{BoxFuture, Either};
use tower::{Layer, Service};
use voelgoed_app::environment::fresh;
use voelgoed_domain::ids::SessionId;

use crate::state::Web;

/// The cookie of a buyer's session.
pub const SESSION_COOKIE: &str = "vg_session";
/// The header that carries it for clients without cookies.
pub const SESSION_HEADER: &str = "x-session";
/// A session lasts as long as a browser keeps it, at most this many seconds.
const SESSION_SECONDS: u32 = 90 * 24 * 3600;

/// Gives every buyer's request its session, and tells a new one to the client.
#[derive(Clone)]
pub struct SessionLayer(pub Web);

/// What [`SessionLayer`] makes of a service.
#[derive(Clone)]
pub struct WithSession<S> {
    web: Web,
    inner: S,
}

impl<S> Layer<S> for SessionLayer {
    type Service = WithSession<S>;

    fn layer(&self, inner: S) -> WithSession<S> {
        WithSession { web: self.0.clone(), inner }
    }
}

impl<S> Service<Request> for WithSession<S>
where
    S: Service<Request, Response = Response, Future: Send + 'static>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let known = presented(request.headers()).and_then(|text| self.web.platform.tokens.read_session(text));
        let session = known.map_or_else(|| fresh(&*self.web.platform.environment), SessionId::from_uuid);
        request.extensions_mut().insert(session);
        let answer = self.inner.call(request);
        if known.is_some() {
            return Either::Left(answer);
        }
        let web = self.web.clone();
        Either::Right(Box::pin(answer.map_ok(move |response| tell(&web, session, response))))
    }
}

fn tell(web: &Web, session: SessionId, mut response: Response) -> Response {
    // A cached page must not carry somebody's session.
    let shared = response
        .headers()
        .get(header::CACHE_CONTROL)
        .is_some_and(|value| value.to_str().is_ok_and(|text| text.contains("public")));
    if shared {
        return response;
    }
    let token = web.platform.tokens.mint_session(session.uuid());
    let secure = if web.settings.secure_cookies { "; Secure" } else { "" };
    let cookie = format!("{SESSION_COOKIE}={token}; Path=/; Max-Age={SESSION_SECONDS}; HttpOnly; SameSite=Lax{secure}");
    if let (Ok(cookie), Ok(token)) = (HeaderValue::from_str(&cookie), HeaderValue::from_str(&token)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
        response.headers_mut().insert(SESSION_HEADER, token);
    }
    response
}

fn presented(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(SESSION_HEADER).and_then(|value| value.to_str().ok());
    header.or_else(|| cookie(headers, SESSION_COOKIE))
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
