//! Extracts identifiers from paths and parameters from queries.
//!
//! A malformed identifier is answered like an unknown one: `not_found`.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::{DeserializeOwned, Deserializer, Error, Visitor};
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
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Web> for QueryParams<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        if nul_in_query(parts.uri.query().unwrap_or_default()) {
            return Err(Refusal::invalid("query", "Must not contain the character U+0000.").into());
        }
        let query = Query::<T>::from_request_parts(parts, web).await;
        let Query(value) = query.map_err(|rejection| query_refusal(&rejection.body_text(), field_names::<T>()))?;
        Ok(Self(value))
    }
}

/// Names the parameter that the library's text (`Failed to …: after: …`, `missing field …`) is about, and the known ones.
fn query_refusal(text: &str, known: &[&str]) -> Refusal {
    let known = if known.is_empty() { String::new() } else { format!(" Known parameters: {}.", known.join(", ")) };
    let of = |fault: &str| text.split_once(fault)?.1.split('`').nth(1).filter(|name| is_name(name));
    for (fault, words) in
        [("missing field", "is missing"), ("duplicate field", "is given twice"), ("unknown field", "is not known here")]
    {
        if let Some(name) = of(fault) {
            return Refusal::invalid(name, format!("The parameter {name} {words}.{known}"));
        }
    }
    let mut parts = text.split(": ").skip(1);
    let named = parts.next().filter(|name| is_name(name));
    match named.filter(|_| parts.next().is_some()) {
        Some(name) => Refusal::invalid(name, format!("The parameter {name} is not of the expected form.{known}")),
        None => Refusal::invalid("query", format!("A parameter of this address is not of the expected form.{known}")),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The names of the fields of `T`, as its `Deserialize` requests them.
fn field_names<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // Always an error: nothing is deserialized.
    let _ = T::deserialize(FieldNames(&mut names));
    names
}

/// Records the names of a struct's fields, and deserializes nothing.
struct FieldNames<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("no struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        Err(Self::Error::custom("recorded"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}

/// Whether a query has the character U+0000, which no store accepts.
pub fn nul_in_query(query: &str) -> bool {
    query.contains("%00")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{field_names, query_refusal};

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only the names of the fields are read")]
    struct VenueParams {
        venue: String,
        #[serde(rename = "format")]
        kind: Option<u32>,
    }

    #[test]
    fn invalid_parameter_is_named_without_the_text_of_the_library() {
        assert_eq!(field_names::<VenueParams>(), ["venue", "format"]);
        assert!(field_names::<String>().is_empty());
        for (text, field, words) in [
            ("Failed to deserialize query string: limit: invalid digit found in string", "limit", "form"),
            ("Failed to deserialize query string: duplicate field `after`", "after", "twice"),
            ("Failed to deserialize query string: missing field `venue`", "venue", "missing"),
            ("Failed to deserialize query string: colour: unknown field `colour`, expected `venue`", "colour", "known"),
            ("", "query", "form"),
        ] {
            let refusal = query_refusal(text, field_names::<VenueParams>());
            assert_eq!(refusal.evidence.field.as_deref(), Some(field), "{text}");
            assert!(refusal.detail.contains(words) && refusal.detail.ends_with("Known parameters: venue, format."));
            assert!(!refusal.detail.contains("deserialize") && !refusal.detail.contains('`'), "{}", refusal.detail);
        }
    }
}
