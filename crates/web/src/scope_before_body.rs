//! Checks an organizer's credential and scope before the body of the request is read, where the cache or the mark of an issued key allows that.
//!
//! Never: a refusal that the route's access layer would not give. A credential that is not known here goes on to that layer, which looks it up.

use axum::http::request::Parts;
use voelgoed_app::accounts::secret::{SecretKind, is_issued};
use voelgoed_app::token::fingerprint;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::accounts::scope_checks::require_scope;
use voelgoed_domain::refusal::Refusal;

use crate::cookies::cookie;
use crate::extract::{LOGIN_COOKIE, bearer, unauthenticated};
use crate::state::Web;

/// Whether the caller is an organizer with this scope; false where this node does not know yet.
///
/// # Errors
/// `missing_scope` for an organizer without it, `unauthenticated` for a key that is no organizer's, e.g. a device's.
pub async fn has_scope(web: &Web, parts: &Parts, scope: Scope) -> Result<bool, Refusal> {
    let Some((kind, secret)) = presented(web, parts)? else { return Ok(false) };
    let key = fingerprint(secret);
    let credentials = &web.slices.accounts.credentials;
    // Through the cache, so that a scope that was granted a moment ago counts.
    let _lookup = match credentials.is_cached(key) {
        true => None,
        false if !is_issued(&web.slices.context.master, kind, secret) => return Ok(false),
        false => match web.key_lookups.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) => return Ok(false),
        },
    };
    let allowed = match kind {
        SecretKind::Login => {
            let login = credentials.login(key).await.ok().flatten();
            let now = web.slices.context.now();
            let login = login.filter(|login| login.expires_at > now);
            login.map(|login| require_scope(&login.member.scopes, scope))
        }
        _ => credentials.api_key(key).await.ok().flatten().map(|key| require_scope(&key.scopes, scope)),
    };
    allowed.transpose().map(|allowed| allowed.is_some())
}

/// The credential of an organizer that the request carries.
fn presented<'a>(web: &Web, parts: &'a Parts) -> Result<Option<(SecretKind, &'a str)>, Refusal> {
    if let Some(secret) = bearer(&parts.headers) {
        return match SecretKind::detect(secret) {
            Some(SecretKind::Api) => Ok(Some((SecretKind::Api, secret))),
            _ => Err(unauthenticated()),
        };
    }
    Ok(cookie(&parts.headers, LOGIN_COOKIE.of(&web.settings)).map(|secret| (SecretKind::Login, secret)))
}
