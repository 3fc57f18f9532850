//! Extracts a JSON body with a digest of the request, by which a repeat is recognised.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{Method, Uri, header};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use voelgoed_domain::refusal::Refusal;

use super::ClientAddress;
use super::idempotency::KEY_HEADER;
use crate::body_size_limit::BodySizeLimit;
use crate::problem::Failure;
use crate::routes::{BodyRules, RouteSpec};
use crate::state::Web;

/// A parsed JSON body.
#[derive(Debug)]
pub struct JsonBody<T> {
    /// The parsed value.
    pub value: T,
    /// SHA-256 of method, path, query and body where the request has an `Idempotency-Key`; zeros where it has none.
    pub digest: [u8; 32],
}

impl<T: DeserializeOwned> FromRequest<Web> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Failure> {
        let json = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !json.is_some_and(|kind| {
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        }) {
            return Err(Refusal::invalid("Content-Type", "Send application/json.").into());
        }
        let spec = request.extensions().get::<&'static RouteSpec>();
        let takes_nul = spec.is_some_and(|spec| spec.body == BodyRules::ScannedText);
        let identity = request.headers().contains_key(KEY_HEADER).then(|| RequestIdentity::of(&request));
        let bytes = read_body(request, web).await?;
        let digest = identity.map(|identity| identity.digest(&bytes)).unwrap_or_default();
        if !takes_nul && has_nul(&bytes) {
            return Err(Refusal::invalid("body", "Must not contain the character U+0000.").into());
        }
        let value = serde_json::from_slice(&bytes).map_err(|error| malformed::<T>(&bytes, &error))?;
        Ok(Self { value, digest })
    }
}

/// Names the field that cannot be parsed. The body is parsed a second time for that, so that good bodies do not pay for it.
fn malformed<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error) -> Refusal {
    let again = serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_slice(bytes));
    let path = again.err().map(|error| error.path().to_string()).filter(|path| path != ".");
    Refusal::invalid(path.unwrap_or_else(|| "body".to_owned()), format!("Not the expected JSON: {error}."))
}

/// Method and address of a request, which a repeat has again.
#[derive(Debug, Clone)]
pub struct RequestIdentity {
    method: Method,
    uri: Uri,
}

impl RequestIdentity {
    /// Of a request whose body is not read yet.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        Self { method: request.method().clone(), uri: request.uri().clone() }
    }

    /// SHA-256 of method, path, query and body, each with its length. The first byte is the version of this format, so that a record in another format
    /// never matches.
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

/// Whether a string of the JSON has the character U+0000, which no store accepts. JSON has it only as an escape whose backslash is not escaped itself.
fn has_nul(json: &[u8]) -> bool {
    const ESCAPE: &[u8] = b"\\u0000";
    let backslashes = |at: usize| json[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
    json.windows(ESCAPE.len()).enumerate().any(|(at, part)| part == ESCAPE && backslashes(at).is_multiple_of(2))
}

/// The body of a request that was read before the request took a load-shed permit.
#[derive(Debug, Clone)]
pub struct ReadBody(pub Bytes);

/// The body of a request: read before, or read now up to the limit of the route, where the route waits for the caller's credential.
///
/// # Errors
/// As [`crate::body_reader::BodyReader::read`].
pub async fn read_body(request: Request, web: &Web) -> Result<Bytes, Failure> {
    if let Some(ReadBody(whole)) = request.extensions().get() {
        return Ok(whole.clone());
    }
    let rules = request.extensions().get::<&'static RouteSpec>().map(|spec| spec.body);
    let limit = BodySizeLimit::new(&web.settings, rules);
    let (mut parts, body) = request.into_parts();
    let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(&mut parts, web).await;
    let (whole, _pooled) = web.body_reader.read(body, limit, address).await?;
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::has_nul;

    #[test]
    fn escape_of_nul_is_found_and_escaped_backslashes_are_not() {
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
