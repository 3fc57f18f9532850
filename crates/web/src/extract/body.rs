//! A JSON body with a digest of the request, by which a repeat is recognised.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{Method, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use voelgoed_domain::refusal::{Code, LimitHit, Refusal};

use super::idempotency::KEY_HEADER;
use crate::problem::Failure;
use crate::state::Web;

/// A parsed body.
#[derive(Debug)]
pub struct Body<T> {
    /// What it says.
    pub value: T,
    /// SHA-256 of method, path and body where the request has an `Idempotency-Key`, which alone asks for it; else zeros.
    pub digest: [u8; 32],
}

impl<T: DeserializeOwned> FromRequest<Web> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Failure> {
        let json = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !json.is_some_and(|kind| {
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        }) {
            return Err(Refusal::invalid("Content-Type", "Send application/json.").into());
        }
        let asked =
            request.headers().contains_key(KEY_HEADER).then(|| (request.method().clone(), request.uri().clone()));
        let bytes = bytes(request, web).await?;
        let digest = asked.map(|(method, uri)| digest_of(&method, &uri, &bytes)).unwrap_or_default();
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| Refusal::invalid("body", format!("Not the expected JSON: {error}.")))?;
        Ok(Self { value, digest })
    }
}

fn digest_of(method: &Method, uri: &Uri, body: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(method.as_str());
    hasher.update(b"\0");
    hasher.update(uri.path());
    hasher.update(b"\0");
    hasher.update(body);
    hasher.finalize().into()
}

/// How large a body may be, and the limit's name; a route whose bodies are larger than others says so by an extension.
#[derive(Debug, Clone, Copy)]
pub struct LargestBody {
    /// E.g. `largest_layout`.
    pub name: &'static str,
    /// So many bytes.
    pub bytes: usize,
}

/// Reads a body up to the limit of its route.
///
/// # Errors
/// `too_large` with the limit, `invalid_request` where it broke off.
pub async fn bytes(request: Request, web: &Web) -> Result<Bytes, Failure> {
    let others = LargestBody { name: "largest_body", bytes: web.settings.largest_body };
    let largest = request.extensions().get().copied().unwrap_or(others);
    match Limited::new(request.into_body(), largest.bytes).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(largest).into()),
        Err(_) => Err(broken_off().into()),
    }
}

fn too_large(LargestBody { name, bytes }: LargestBody) -> Refusal {
    let refusal = Refusal::new(Code::TooLarge, "The body is larger than this route takes.");
    refusal.with(|evidence| evidence.limit = Some(LimitHit { name, most: bytes as u64 }))
}

fn broken_off() -> Refusal {
    Refusal::invalid("body", "The body broke off.")
}
