//! A JSON body with a digest of the request, by which a repeat is recognised.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{Method, Uri, header};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use voelgoed_domain::refusal::Refusal;

use super::ClientAddress;
use super::idempotency::KEY_HEADER;
use crate::problem::Failure;
use crate::state::Web;

/// A parsed body.
#[derive(Debug)]
pub struct Body<T> {
    /// What it says.
    pub value: T,
    /// SHA-256 of method, path, query and body where the request has an `Idempotency-Key`, which alone asks for it; else zeros.
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
        let takes_nul = request.extensions().get::<AnyCharacters>().is_some();
        let asked = request.headers().contains_key(KEY_HEADER).then(|| Asked::of(&request));
        let bytes = bytes(request, web).await?;
        let digest = asked.map(|asked| asked.digest(&bytes)).unwrap_or_default();
        if !takes_nul && has_nul(&bytes) {
            return Err(Refusal::invalid("body", "Must not contain the character U+0000.").into());
        }
        let value = serde_json::from_slice(&bytes).map_err(|error| malformed::<T>(&bytes, &error))?;
        Ok(Self { value, digest })
    }
}

/// Names the field that is not as expected, where it is one: the body is read once more for that, so that good ones cost nothing.
fn malformed<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error) -> Refusal {
    let again = serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_slice(bytes));
    let path = again.err().map(|error| error.path().to_string()).filter(|path| path != ".");
    Refusal::invalid(path.unwrap_or_else(|| "body".to_owned()), format!("Not the expected JSON: {error}."))
}

/// What a request asks for, beside its body: a repeat has the same.
#[derive(Debug, Clone)]
pub struct Asked {
    method: Method,
    uri: Uri,
}

impl Asked {
    /// Of a request whose body is not read yet.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        Self { method: request.method().clone(), uri: request.uri().clone() }
    }

    /// SHA-256 of method, path, query and body, each with its length. The first byte names this way of counting, so that a record of an older
    /// program is another request and no answer of it is taken for one of ours.
    #[must_use]
    pub fn digest(&self, body: &[u8]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update([2]);
        let query = self.uri.query().unwrap_or_default();
        for part in [self.method.as_str().as_bytes(), self.uri.path().as_bytes(), query.as_bytes(), body] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }
}

/// Says of a route that its texts may have U+0000: what a scanner read is judged, never stored, and one reading of a batch must not refuse the others.
#[derive(Debug, Clone, Copy)]
pub struct AnyCharacters;

/// Whether a string of the JSON has the character that no store keeps. JSON can write it as an escape only, whose backslash is not escaped itself.
fn has_nul(json: &[u8]) -> bool {
    const ESCAPE: &[u8] = b"\\u0000";
    let backslashes = |at: usize| json[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
    json.windows(ESCAPE.len()).enumerate().any(|(at, part)| part == ESCAPE && backslashes(at).is_multiple_of(2))
}

/// How large a body may be, and the limit's name; a route whose bodies are larger than others says so by an extension.
#[derive(Debug, Clone, Copy)]
pub struct LargestBody {
    /// E.g. `largest_layout`.
    pub name: &'static str,
    /// So many bytes.
    pub bytes: usize,
    /// Counted against the part of the pool that seating plans have.
    pub is_plan: bool,
}

impl LargestBody {
    /// Of a route that says nothing else.
    #[must_use]
    pub fn usual(web: &Web) -> Self {
        Self { name: "largest_body", bytes: web.settings.largest_body, is_plan: false }
    }

    /// Of a route that takes whole seating plans.
    #[must_use]
    pub fn plan(web: &Web) -> Self {
        Self { name: "largest_layout", bytes: web.settings.largest_layout, is_plan: true }
    }
}

/// The body of a request, read before the request took its place among those in flight.
#[derive(Debug, Clone)]
pub struct ReadBody(pub Bytes);

/// The body of a request: what was read before, or read now, up to the limit of its route, where that waits for the caller's credential.
///
/// # Errors
/// As [`crate::bodies::Bodies::read`].
pub async fn bytes(request: Request, web: &Web) -> Result<Bytes, Failure> {
    if let Some(ReadBody(whole)) = request.extensions().get() {
        return Ok(whole.clone());
    }
    let largest = request.extensions().get().copied().unwrap_or_else(|| LargestBody::usual(web));
    let (mut parts, body) = request.into_parts();
    let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(&mut parts, web).await;
    let (whole, _pooled) = web.bodies.read(body, largest, address).await?;
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::has_nul;

    #[test]
    fn the_escape_of_nul_is_found_and_nothing_else() {
        for (json, expected) in [
            (r#"{"a":"\u0000"}"#, true),
            (r#"{"a":"x\\\u0000"}"#, true),
            (r#"{"a":"\\u0000"}"#, false),
            (r#"{"a":"\u0001u0000"}"#, false),
            (r#"{"\u0000":1}"#, true),
            ("", false),
        ] {
            assert_eq!(has_nul(json.as_bytes()), expected, "{json}");
        }
    }
}
