//! Identifiers in paths and parameters in queries.
//!
//! An identifier that cannot be one is answered as one that names nothing: `not_found`.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use voelgoed_domain::refusal::Refusal;

use crate::problem::Failure;
use crate::state::Web;

/// The only identifier in a path.
#[derive(Debug, Clone, Copy)]
pub struct PathId<I>(pub I);

/// The two identifiers in a path, in order.
#[derive(Debug, Clone, Copy)]
pub struct PathIds<A, B>(pub A, pub B);

impl<I: FromStr + Send> FromRequestParts<Web> for PathId<I> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let Path(text) = Path::<String>::from_request_parts(parts, web).await.map_err(|_| Refusal::not_found())?;
        Ok(Self(text.parse().map_err(|_| Refusal::not_found())?))
    }
}

impl<A: FromStr + Send, B: FromStr + Send> FromRequestParts<Web> for PathIds<A, B> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let path = Path::<(String, String)>::from_request_parts(parts, web).await;
        let Path((first, second)) = path.map_err(|_| Refusal::not_found())?;
        let first = first.parse().map_err(|_| Refusal::not_found())?;
        Ok(Self(first, second.parse().map_err(|_| Refusal::not_found())?))
    }
}

/// Query parameters.
#[derive(Debug, Clone, Copy)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Web> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        if nul_in_query(parts.uri.query().unwrap_or_default()) {
            return Err(Refusal::invalid("query", "Must not contain the character U+0000.").into());
        }
        let query = Query::<T>::from_request_parts(parts, web).await;
        let Query(value) = query.map_err(|rejection| misread(&rejection.body_text()))?;
        Ok(Self(value))
    }
}

/// Names the parameter that the library's text (`Failed to …: after: …`) is about.
fn misread(text: &str) -> Refusal {
    let mut parts = text.split(": ").skip(1);
    let named = parts.next().filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    match named.filter(|_| parts.next().is_some()) {
        Some(name) => Refusal::invalid(name, format!("The parameter {name} is not of the expected form.")),
        None => Refusal::invalid("query", "A parameter of this address is missing, unknown or given twice."),
    }
}

/// Whether a query has the character that no store keeps.
pub fn nul_in_query(query: &str) -> bool {
    query.contains("%00")
}

#[cfg(test)]
mod tests {
    use super::misread;

    #[test]
    fn a_misread_parameter_is_named_without_the_words_of_a_library() {
        for (text, field) in [
            ("Failed to deserialize query string: limit: invalid digit found in string", "limit"),
            ("Failed to deserialize query string: duplicate field `after`", "query"),
            ("", "query"),
        ] {
            let refusal = misread(text);
            assert_eq!(refusal.evidence.field.as_deref(), Some(field), "{text}");
            assert!(!refusal.detail.contains("deserialize") && !refusal.detail.contains('`'), "{}", refusal.detail);
        }
    }
}
