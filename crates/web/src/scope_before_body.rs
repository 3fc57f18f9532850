//! Asks an organizer's credential and its scope before the body of the request is read, where this node can do so without a guess.
//!
//! Never: a refusal that the handler would not give; whoever is not known yet goes on to the handler, which looks the credential up.

use axum::http::request::Parts;
use voelgoed_app::accounts::secret::{SecretKind, is_issued};
use voelgoed_app::token::fingerprint;
use voelgoed_domain::accounts::scope::{Scope, need};
use voelgoed_domain::refusal::Refusal;

use crate::extract::{LOGIN_COOKIE, bearer, cookie, unauthenticated};
use crate::state::Web;

/// Whether the caller is an organizer with this scope; false where this node cannot tell yet.
///
/// # Errors
/// `missing_scope` for an organizer without it, `unauthenticated` for a key that is no organizer's, e.g. a device's.
pub async fn is_allowed(web: &Web, parts: &Parts, scope: Scope) -> Result<bool, Refusal> {
    let Some((kind, secret)) = presented(web, parts)? else { return Ok(false) };
    let key = fingerprint(secret);
    let credentials = &web.platform.credentials;
    // Read through the cache, so that a scope that was given a moment ago counts.
    let _lookup = match credentials.knows(key) {
        true => None,
        false if !is_issued(&web.platform.master, kind, secret) => return Ok(false),
        false => match web.key_lookups.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) => return Ok(false),
        },
    };
    let allowed = match kind {
        SecretKind::Login => {
            let login = credentials.login(key).await.ok().flatten();
            let now = web.platform.environment.now();
            let login = login.filter(|login| login.expires_at > now);
            login.map(|login| need(&login.member.scopes, scope))
        }
        _ => credentials.api_key(key).await.ok().flatten().map(|key| need(&key.scopes, scope)),
    };
    allowed.transpose().map(|allowed| allowed.is_some())
}

/// The credential of an organizer that the request carries.
fn presented<'a>(web: &Web, parts: &'a Parts) -> Result<Option<(SecretKind, &'a str)>, Refusal> {
    if let Some(secret) = bearer(&parts.headers) {
        return match SecretKind::of(secret) {
            Some(SecretKind::Api) => Ok(Some((SecretKind::Api, secret))),
            _ => Err(unauthenticated()),
        };
    }
    Ok(cookie(&parts.headers, LOGIN_COOKIE.of(&web.settings)).map(|secret| (SecretKind::Login, secret)))
}
