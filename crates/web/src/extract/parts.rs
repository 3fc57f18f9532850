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
        let query = Query::<T>::from_request_parts(parts, web).await;
        let Query(value) = query.map_err(|rejection| unreadable(&rejection.body_text()))?;
        Ok(Self(value))
    }
}

/// Names the parameter that cannot be read, where the text does.
fn unreadable(text: &str) -> Refusal {
    let said = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(text);
    match said.split_once(": ") {
        Some((name, why)) if !name.contains(' ') => Refusal::invalid(name, format!("{why}.")),
        _ => Refusal::invalid("query", said),
    }
}
