//! A buyer's session: a signed anonymous cookie or `X-Session`, given on first contact and known again afterwards.
//!
//! The cookie is set by the first answer whose handler took the session ([`super::Buyer`]); other answers that no cache keeps name it in `X-Session` only.
//! Never: a store, or a session in an answer that a cache may keep. A layer of its own type, since every request of a sale passes it: whoever brings a session
//! costs no copy of it and no future.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use futures::TryFutureExt;
use futures::future::{BoxFuture, Either};
use tower::{Layer, Service};
use voelgoed_app::environment::fresh;
use voelgoed_domain::ids::SessionId;

use crate::state::{Web, WebSettings};

/// The cookie of a buyer's session.
pub const SESSION_COOKIE: CookieName = CookieName { plain: "vg_session", secure: "__Host-vg_session" };
/// The header that carries it for clients without cookies.
pub const SESSION_HEADER: &str = "x-session";
/// A session lasts as long as a browser keeps it, at most this many seconds.
const SESSION_SECONDS: u32 = 90 * 24 * 3600;

/// A cookie's name. Over TLS it has the prefix `__Host-`, so that no other host of the domain can set it.
#[derive(Debug, Clone, Copy)]
pub struct CookieName {
    /// Over plain HTTP.
    pub plain: &'static str,
    /// Over TLS.
    pub secure: &'static str,
}

impl CookieName {
    /// The name under these settings.
    pub const fn of(self, settings: &WebSettings) -> &'static str {
        if settings.secure_cookies { self.secure } else { self.plain }
    }
}

/// In the request of a session that was made just now: whether its handler took it, so that the client must learn it.
#[derive(Debug, Clone, Default)]
pub struct NewSession(Arc<AtomicBool>);

impl NewSession {
    /// The session is part of the answer.
    pub fn taken(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

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
        let known =
            presented(&self.web, request.headers()).and_then(|text| self.web.platform.tokens.read_session(text));
        if let Some(known) = known {
            request.extensions_mut().insert(SessionId::from_uuid(known));
            return Either::Left(self.inner.call(request));
        }
        let session = fresh(&*self.web.platform.environment);
        let new = NewSession::default();
        request.extensions_mut().insert(session);
        request.extensions_mut().insert(new.clone());
        let answer = self.inner.call(request);
        let web = self.web.clone();
        Either::Right(Box::pin(answer.map_ok(move |response| announce(&web, session, &new, response))))
    }
}

/// Adds a new session to an answer that no cache keeps.
fn announce(web: &Web, session: SessionId, new: &NewSession, mut response: Response) -> Response {
    // Without the header the answer becomes `no-store` further out.
    let may_be_kept = response
        .headers()
        .get(header::CACHE_CONTROL)
        .is_some_and(|value| !value.to_str().is_ok_and(|text| text.contains("no-store")));
    if may_be_kept {
        return response;
    }
    let token = web.platform.tokens.mint_session(session.uuid());
    if new.0.load(Ordering::Relaxed) {
        set_session_cookie(web, &mut response, &token, SESSION_SECONDS);
    }
    if let Ok(token) = HeaderValue::from_str(&token) {
        response.headers_mut().insert(SESSION_HEADER, token);
    }
    response
}

/// Sets the session's cookie; 0 seconds remove it.
pub fn set_session_cookie(web: &Web, response: &mut Response, token: &str, seconds: u32) {
    let name = SESSION_COOKIE.of(&web.settings);
    let secure = if web.settings.secure_cookies { "; Secure" } else { "" };
    let cookie = format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

fn presented<'a>(web: &Web, headers: &'a HeaderMap) -> Option<&'a str> {
    let header = headers.get(SESSION_HEADER).and_then(|value| value.to_str().ok());
    header.or_else(|| cookie(headers, SESSION_COOKIE.of(&web.settings)))
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
