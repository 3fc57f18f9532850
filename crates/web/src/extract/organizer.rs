//! Organizers: an API key with scopes, or the console's login cookie with its CSRF token on writes. The operator has a key of their own.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use voelgoed_app::accounts::audit::audited;
use voelgoed_app::accounts::change_member::Granter;
use voelgoed_app::accounts::log_in::csrf;
use voelgoed_app::accounts::secret::SecretKind;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::token::fingerprint;
use voelgoed_domain::accounts::scope::{Scope, need};
use voelgoed_domain::ids::{EventId, MemberId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_telemetry::spans;

use voelgoed_planted::{Bug, planted};

use super::ClientAddress;
use super::session::{CookieName, cookie};
use crate::access::scope_of;
use crate::key_guesses::looked_up;
use crate::problem::Failure;
use crate::rates::organizer_write;
use crate::state::Web;

/// The cookie of the console's login.
pub const LOGIN_COOKIE: CookieName = CookieName { plain: "vg_login", secure: "__Host-vg_login" };
/// The header that carries the login's CSRF token on writes.
const CSRF_HEADER: &str = "x-csrf-token";

/// Somebody who acts for an organization.
#[derive(Debug, Clone)]
pub struct Organizer {
    /// For whom.
    pub organization: OrganizationId,
    /// `key_…` or `mem_…`, for the audit log and idempotency.
    pub actor: String,
    /// What they may.
    pub scopes: Vec<Scope>,
    /// Which member they are, where they are no key.
    pub member: Option<MemberId>,
}

impl Organizer {
    /// Checks that the caller may.
    ///
    /// # Errors
    /// `missing_scope`.
    pub fn may(&self, scope: Scope) -> Result<(), Refusal> {
        need(&self.scopes, scope)
    }

    /// The caller as somebody who gives scopes to others.
    #[must_use]
    pub fn granter(&self) -> Granter<'_> {
        Granter { organization: self.organization, scopes: &self.scopes, member: self.member }
    }

    /// Carries out a command as an act of the caller: its audit line is written in its transaction, and none where it is refused or was answered
    /// before. A command that makes something names it as the subject itself.
    pub async fn act<T>(
        &self,
        web: &Web,
        action: &str,
        subject: impl std::fmt::Display,
        command: impl Future<Output = T>,
    ) -> T {
        audited(&*web.platform.environment, &self.actor, action, subject, command).await
    }

    /// Whether the caller may call this route, asked before its body is read.
    async fn for_route(self, web: &Web, parts: &Parts) -> Result<Self, Failure> {
        let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        if let Some(scope) = scope_of(&parts.method, route) {
            self.may(scope)?;
        }
        if !parts.method.is_safe() {
            organizer_write(web, self.organization).await?;
        }
        Ok(self)
    }

    /// The scope of an event of this organization.
    ///
    /// # Errors
    /// `not_found` for a foreign one.
    pub async fn event(&self, web: &Web, event: EventId) -> Result<EventScope, Failure> {
        let scope = web.platform.listings.locate(event).await?;
        if scope.organization != self.organization && !planted(Bug::EventOfAnyTenant) {
            voelgoed_telemetry::metrics::http::tenant_mismatch("organizer");
            return Err(Refusal::not_found().into());
        }
        spans::belongs_to(&scope.organization, Some(&scope.event));
        Ok(scope)
    }
}

/// The secret behind the scheme `Bearer`, whose letter case does not matter (RFC 9110, 11.1).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, secret) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim().split_once([' ', '\t'])?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// The refusal of a key that opens nothing here.
pub fn unauthenticated() -> Refusal {
    Refusal::new(Code::Unauthenticated, "Send a valid key.")
}

impl FromRequestParts<Web> for Organizer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
        if let Some(secret) = bearer(&parts.headers) {
            return by_key(web, secret, address).await?.for_route(web, parts).await;
        }
        let token = cookie(&parts.headers, LOGIN_COOKIE.of(&web.settings)).ok_or_else(unauthenticated)?;
        let look_up = web.platform.credentials.login(fingerprint(token));
        let login = looked_up(web, SecretKind::Login, token, address, look_up).await?;
        if login.expires_at <= web.platform.environment.now() {
            return Err(unauthenticated().into());
        }
        let presented = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
        if !parts.method.is_safe()
            && presented.map(fingerprint) != Some(fingerprint(&csrf(&web.platform.master, fingerprint(token))))
        {
            return Err(Refusal::new(Code::CsrfMismatch, "Reload the page and try again.").into());
        }
        spans::belongs_to(&login.member.organization, None);
        let caller = Self {
            organization: login.member.organization,
            actor: login.member.id.to_string(),
            scopes: login.member.scopes.clone(),
            member: Some(login.member.id),
        };
        caller.for_route(web, parts).await
    }
}

async fn by_key(web: &Web, secret: &str, address: IpAddr) -> Result<Organizer, Failure> {
    if SecretKind::of(secret) != Some(SecretKind::Api) {
        return Err(unauthenticated().into());
    }
    let look_up = web.platform.credentials.api_key(fingerprint(secret));
    let key = looked_up(web, SecretKind::Api, secret, address, look_up).await?;
    spans::belongs_to(&key.organization, None);
    let scopes = key.scopes.clone();
    Ok(Organizer { organization: key.organization, actor: key.id.to_string(), scopes, member: None })
}

/// The operator of the platform.
#[derive(Debug, Clone, Copy)]
pub struct Operator;

impl FromRequestParts<Web> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let presented = bearer(&parts.headers).map(fingerprint).ok_or_else(unauthenticated)?;
        if web.settings.operator_key == Some(presented) {
            return Ok(Self);
        }
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
        web.key_guesses.wrong_operator_key(address).await?;
        Err(unauthenticated().into())
    }
}
