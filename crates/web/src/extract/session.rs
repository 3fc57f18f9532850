//! Gives every buyer's request an anonymous session: read from a signed cookie or `X-Session`, or issued with the response.
//!
//! | response | has a new session in |
//! |---|---|
//! | of a handler that used the session ([`super::BuyerSession`]) | the cookie and `X-Session` |
//! | of another handler | `X-Session` |
//! | that a cache may store | nothing |
//!
//! Never: a store. A tower layer instead of `middleware::from_fn`, since every request of a sale passes it: one with a session costs no boxed future.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use futures::TryFutureExt;
use futures::future::{BoxFuture, Either};
use tower::{Layer, Service};
use voelgoed_app::environment::new_id;
use voelgoed_domain::ids::SessionId;

use crate::cookies::{CookieName, SameSite, cookie, set_cookie};
use crate::state::Web;

/// The cookie of a buyer's session.
pub const SESSION_COOKIE: CookieName = CookieName { plain: "vg_session", secure: "__Host-vg_session" };
/// The header of the session, for clients without cookies.
pub const SESSION_HEADER: &str = "x-session";
/// `Max-Age` of the cookie.
const SESSION_SECONDS: u64 = 90 * 24 * 3600;

/// In the extensions of a request whose session was issued now: whether its handler used the session, so that the client must store it.
#[derive(Debug, Clone, Default)]
pub struct IssuedSession(Arc<AtomicBool>);

impl IssuedSession {
    /// The response depends on the session.
    pub fn mark_used(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Puts the session into the extensions of every request, and a new one into the response.
#[derive(Clone)]
pub struct SessionLayer(pub Web);

/// The service of [`SessionLayer`].
#[derive(Clone)]
pub struct SessionService<S> {
    web: Web,
    inner: S,
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        SessionService { web: self.0.clone(), inner }
    }
}

impl<S> Service<Request> for SessionService<S>
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
            presented(&self.web, request.headers()).and_then(|text| self.web.slices.context.tokens.read_session(text));
        if let Some(known) = known {
            request.extensions_mut().insert(SessionId::from_uuid(known));
            return Either::Left(self.inner.call(request));
        }
        let session = new_id(&*self.web.slices.context.environment);
        let issued = IssuedSession::default();
        request.extensions_mut().insert(session);
        request.extensions_mut().insert(issued.clone());
        let response = self.inner.call(request);
        let web = self.web.clone();
        Either::Right(Box::pin(response.map_ok(move |response| add_session(&web, session, &issued, response))))
    }
}

/// Adds a new session to a response that no cache may store.
fn add_session(web: &Web, session: SessionId, issued: &IssuedSession, mut response: Response) -> Response {
    // A response without the header becomes `no-store` further out.
    let is_cacheable = response
        .headers()
        .get(header::CACHE_CONTROL)
        .is_some_and(|value| !value.to_str().is_ok_and(|text| text.contains("no-store")));
    if is_cacheable {
        return response;
    }
    let token = web.slices.context.tokens.mint_session(session.uuid());
    if issued.0.load(Ordering::Relaxed) {
        set_session_cookie(web, &mut response, &token, SESSION_SECONDS);
    }
    if let Ok(token) = HeaderValue::from_str(&token) {
        response.headers_mut().insert(SESSION_HEADER, token);
    }
    response
}

/// Sets the session's cookie; 0 seconds remove it.
pub fn set_session_cookie(web: &Web, response: &mut Response, token: &str, seconds: u64) {
    set_cookie(&web.settings, response, SESSION_COOKIE, token, seconds, SameSite::Lax);
}

fn presented<'a>(web: &Web, headers: &'a HeaderMap) -> Option<&'a str> {
    let header = headers.get(SESSION_HEADER).and_then(|value| value.to_str().ok());
    header.or_else(|| cookie(headers, SESSION_COOKIE.of(&web.settings)))
}
