//! Extracts the `Idempotency-Key` header: required where orders or money are involved, optional elsewhere.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use voelgoed_app::idempotency::IdempotencyKey;
use voelgoed_domain::refusal::{Code, Refusal};

use crate::problem::Failure;
use crate::state::Web;

/// The header's name.
pub const KEY_HEADER: &str = "idempotency-key";
/// The length of a key.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 200;

/// A key that the route requires.
#[derive(Debug, Clone)]
pub struct RequiredKey(String);

/// A key that the client may send.
#[derive(Debug, Clone)]
pub struct OptionalKey(Option<String>);

impl RequiredKey {
    /// The key of a caller's request.
    #[must_use]
    pub fn of(self, caller: impl ToString, digest: [u8; 32]) -> IdempotencyKey {
        IdempotencyKey { caller: caller.to_string(), key: self.0, request: digest }
    }
}

impl OptionalKey {
    /// The key of a caller's request.
    #[must_use]
    pub fn of(self, caller: impl ToString, digest: [u8; 32]) -> Option<IdempotencyKey> {
        self.0.map(|key| IdempotencyKey { caller: caller.to_string(), key, request: digest })
    }

    /// The bare key.
    #[must_use]
    pub fn text(self) -> Option<String> {
        self.0
    }
}

impl FromRequestParts<Web> for OptionalKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Failure> {
        let Some(value) = parts.headers.get(KEY_HEADER) else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default();
        if text.is_empty()
            || text.len() > IDEMPOTENCY_KEY_CHARS_MAX
            || !text.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let detail = format!("Use 1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters without spaces.");
            return Err(Refusal::invalid("Idempotency-Key", detail).into());
        }
        Ok(Self(Some(text.to_owned())))
    }
}

impl FromRequestParts<Web> for RequiredKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let OptionalKey(key) = OptionalKey::from_request_parts(parts, web).await?;
        let missing = || {
            Refusal::new(
                Code::IdempotencyKeyRequired,
                "Send an Idempotency-Key header, so that the request can be repeated safely.",
            )
        };
        Ok(Self(key.ok_or_else(missing)?))
    }
}
