//! Authenticates organizers by an API key, or by the console's login cookie with its CSRF token on writes; and the operator by a key of their own.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use voelgoed_app::accounts::audit::audited;
use voelgoed_app::accounts::granter::Granter;
use voelgoed_app::accounts::log_in::csrf_token;
use voelgoed_app::accounts::secret::SecretKind;
use voelgoed_app::error::{CommandResult, Fault};
use voelgoed_app::idempotency::{Created, IdempotencyKey};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::token::fingerprint;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::accounts::scope_checks::require_scope;
use voelgoed_domain::ids::{EventId, MemberId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_telemetry::spans;

use super::ClientAddress;
use super::credential::{look_up_credential, unauthenticated};
use crate::cookies::{CookieName, cookie};
use crate::problem::{Failure, HandlerResult};
use crate::rate_limits::check_organizer_write;
use crate::state::Web;

/// The cookie of the console's login.
pub const LOGIN_COOKIE: CookieName = CookieName { plain: "vg_login", secure: "__Host-vg_login" };
/// The header that carries the login's CSRF token on writes.
const CSRF_HEADER: &str = "x-csrf-token";

/// A member or an API key that acts for an organization.
#[derive(Debug, Clone)]
pub struct Organizer {
    /// The organization.
    pub organization: OrganizationId,
    /// `key_…` or `mem_…`, for the audit log and idempotency.
    pub actor: String,
    /// What the caller may do.
    pub scopes: Vec<Scope>,
    /// The member; none for a key.
    pub member: Option<MemberId>,
    /// For what handlers do as the caller.
    web: Web,
}

impl Organizer {
    /// Checks that the caller has a scope.
    ///
    /// # Errors
    /// `missing_scope`.
    pub fn may(&self, scope: Scope) -> Result<(), Refusal> {
        require_scope(&self.scopes, scope)
    }

    /// The caller, for commands that grant scopes to others.
    #[must_use]
    pub fn granter(&self) -> Granter<'_> {
        Granter { organization: self.organization, scopes: &self.scopes, member: self.member }
    }

    /// Runs a command as an act of the caller: its audit line is written in its transaction, and none where the command is refused or replayed.
    /// A command that creates something sets the subject itself.
    pub async fn act<T>(&self, action: &str, subject: impl std::fmt::Display, command: impl Future<Output = T>) -> T {
        audited(&*self.web.slices.context.environment, &self.actor, action, subject, command).await
    }

    /// Counts a request that writes against the organization's limit.
    ///
    /// # Errors
    /// `rate_limited`.
    pub async fn count_write(&self, web: &Web, method: &Method) -> Result<(), Refusal> {
        match method.is_safe() {
            true => Ok(()),
            false => check_organizer_write(web, self.organization).await,
        }
    }

    /// The outcome of a creating command, or the stored response to the same request, where the command is refused now.
    ///
    /// # Errors
    /// As the command; `idempotency_mismatch`.
    pub async fn outcome_or_replay<V>(
        &self,
        key: Option<&IdempotencyKey>,
        outcome: CommandResult<Created<V>>,
    ) -> HandlerResult<Created<V>> {
        match (outcome, key) {
            (Err(refused), Some(key)) => {
                Ok(self.web.slices.checkout.replays.replay_or(self.organization, key, refused).await?)
            }
            (outcome, _) => Ok(outcome?),
        }
    }

    /// The scope of an event of this organization.
    ///
    /// # Errors
    /// `not_found` for a foreign one.
    pub async fn event(&self, event: EventId) -> Result<EventScope, Failure> {
        let scope = self.web.slices.catalog.listings.locate(event).await?;
        if scope.organization != self.organization {
            voelgoed_telemetry::metrics::http::tenant_mismatch("organizer");
            return Err(Refusal::not_found().into());
        }
        spans::record_tenant(&scope.organization, Some(&scope.event));
        Ok(scope)
    }
}

/// The secret behind the scheme `Bearer`, whose letter case does not matter (RFC 9110, 11.1).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, secret) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim().split_once([' ', '\t'])?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

impl Organizer {
    /// Finds the caller by its key or login.
    ///
    /// # Errors
    /// `unauthenticated`, `csrf_mismatch`; `rate_limited` after too many wrong keys.
    pub async fn authenticate(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
        if let Some(secret) = bearer(&parts.headers) {
            return by_key(web, secret, address).await;
        }
        let token = cookie(&parts.headers, LOGIN_COOKIE.of(&web.settings)).ok_or_else(unauthenticated)?;
        let look_up = web.slices.accounts.credentials.login(fingerprint(token));
        let login = look_up_credential(web, SecretKind::Login, token, address, look_up).await?;
        if login.expires_at <= web.slices.context.now() {
            return Err(unauthenticated().into());
        }
        let presented = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
        if !parts.method.is_safe()
            && presented.map(fingerprint)
                != Some(fingerprint(&csrf_token(&web.slices.context.master, fingerprint(token))))
        {
            return Err(Refusal::new(Code::CsrfMismatch, "Reload the page and try again.").into());
        }
        spans::record_tenant(&login.member.organization, None);
        Ok(Self {
            organization: login.member.organization,
            actor: login.member.id.to_string(),
            scopes: login.member.scopes.clone(),
            member: Some(login.member.id),
            web: web.clone(),
        })
    }
}

impl FromRequestParts<Web> for Organizer {
    type Rejection = Failure;

    /// The caller that the route's access layer found.
    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Failure> {
        parts.extensions.get().cloned().ok_or_else(|| without_access("organizers"))
    }
}

/// The fault of a handler whose extractor needs a credential that its route's row does not require.
pub(super) fn without_access(callers: &str) -> Failure {
    Fault::internal(format!("the row of this route does not require the credential of {callers}")).into()
}

async fn by_key(web: &Web, secret: &str, address: IpAddr) -> Result<Organizer, Failure> {
    if SecretKind::detect(secret) != Some(SecretKind::Api) {
        return Err(unauthenticated().into());
    }
    let look_up = web.slices.accounts.credentials.api_key(fingerprint(secret));
    let key = look_up_credential(web, SecretKind::Api, secret, address, look_up).await?;
    spans::record_tenant(&key.organization, None);
    let scopes = key.scopes.clone();
    Ok(Organizer { organization: key.organization, actor: key.id.to_string(), scopes, member: None, web: web.clone() })
}

/// The operator of the platform.
#[derive(Debug, Clone, Copy)]
pub struct Operator;

impl Operator {
    /// Checks the operator's key.
    ///
    /// # Errors
    /// `unauthenticated`, `rate_limited`.
    pub async fn authenticate(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let presented = bearer(&parts.headers).map(fingerprint).ok_or_else(unauthenticated)?;
        if web.settings.operator_key == Some(presented) {
            return Ok(Self);
        }
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
        web.failed_auth_limiter.wrong_operator_key(address).await?;
        Err(unauthenticated().into())
    }
}

impl FromRequestParts<Web> for Operator {
    type Rejection = Failure;

    /// The caller that the route's access layer found.
    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Failure> {
        parts.extensions.get().copied().ok_or_else(|| without_access("operators"))
    }
}
