//! Decides how critical a request is for load shedding, by the class of its route and the proof that its caller gives.
//!
//! Never: a criticality above that of holds for a caller whose credential was not checked.

use axum::http::request::Parts;
use serde::Deserialize;
use voelgoed_app::accounts::credentials::CachedCredential;
use voelgoed_app::accounts::secret::{SecretKind, is_issued};
use voelgoed_app::token::{TokenKind, fingerprint};
use voelgoed_domain::ids::HoldId;
use voelgoed_resilience::Criticality;

use crate::cookies::cookie;
use crate::extract::{LOGIN_COOKIE, bearer, presented_token};
use crate::pages::form_field;
use crate::routes::{Class, Proof};
use crate::state::Web;

/// The criticality of a request of a class, once its body was read; none where it is never shed.
pub async fn criticality_of(web: &Web, class: Option<Class>, parts: &Parts, body: &[u8]) -> Option<Criticality> {
    let proof = match class {
        Some(Class::Health) => return None,
        Some(Class::Hold) => return Some(Criticality::Hold),
        Some(Class::Report) => return Some(Criticality::Report),
        Some(Class::Browse) | None => return Some(Criticality::Browse),
        Some(Class::Critical(proof)) => proof,
    };
    let proven = match proof {
        Proof::HoldJson => names_hold_with_token(web, body),
        Proof::HoldForm => form_field(body, "token").is_some_and(|token| is_token(web, &token)),
        Proof::Token => presented_token(parts).is_some_and(|token| is_token(web, &token)) || is_organizer(web, parts),
        Proof::TokenForm => form_field(body, "token").is_some_and(|token| is_token(web, &token)),
        Proof::Organizer => is_organizer(web, parts),
        Proof::Provider => is_provider(web, parts, body),
        Proof::Device => is_device(web, parts).await,
    };
    Some(if proven { Criticality::ScanOrPay } else { Criticality::Hold })
}

/// Whether the key is a device's. A key that this node has not cached is looked up where its mark shows that the platform issued it, within a limit.
async fn is_device(web: &Web, parts: &Parts) -> bool {
    let Some(secret) = bearer(&parts.headers) else { return false };
    let key = fingerprint(secret);
    if let Some(known) = web.slices.accounts.credentials.cached(key) {
        return matches!(known, CachedCredential::Device);
    }
    if !is_issued(&web.slices.context.master, SecretKind::Device, secret) {
        return false;
    }
    let Ok(_permit) = web.key_lookups.try_acquire() else { return false };
    matches!(web.slices.accounts.credentials.device(key).await, Ok(Some(_)))
}

/// The fields of an order's JSON that prove its hold.
#[derive(Deserialize)]
struct HoldProof<'a> {
    hold: HoldId,
    #[serde(borrow)]
    hold_token: std::borrow::Cow<'a, str>,
}

fn names_hold_with_token(web: &Web, body: &[u8]) -> bool {
    let Ok(proof) = serde_json::from_slice::<HoldProof<'_>>(body) else { return false };
    let claims = web.slices.context.tokens.read(TokenKind::Hold, &proof.hold_token);
    claims.is_some_and(|claims| claims.id == proof.hold.uuid())
}

/// A hold's token allows what the token of its order allows.
fn is_token(web: &Web, token: &str) -> bool {
    [TokenKind::Order, TokenKind::Hold].into_iter().any(|kind| web.slices.context.tokens.read(kind, token).is_some())
}

/// Whether the credential is an organizer's, from the cache alone: the first request with a credential counts as unproven.
fn is_organizer(web: &Web, parts: &Parts) -> bool {
    let known = |secret: &str| web.slices.accounts.credentials.cached(fingerprint(secret));
    match bearer(&parts.headers) {
        Some(secret) => matches!(known(secret), Some(CachedCredential::ApiKey(_))),
        None => cookie(&parts.headers, LOGIN_COOKIE.of(&web.settings))
            .is_some_and(|secret| matches!(known(secret), Some(CachedCredential::Login(_)))),
    }
}

fn is_provider(web: &Web, parts: &Parts, body: &[u8]) -> bool {
    let name = parts.uri.path().trim_start_matches("/api/v1/providers/").split('/').next().unwrap_or_default();
    let Ok(gateway) = web.slices.payments.gateway(name) else { return false };
    let pairs = parts.headers.iter();
    let pairs = pairs.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    gateway.verify_callback(&pairs.collect::<Vec<_>>(), body, web.slices.context.now()).is_ok()
}
