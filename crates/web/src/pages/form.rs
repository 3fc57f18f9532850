//! A form that a page of this shop sent.
//!
//! Never: a write from another site's page. Browsers say where a form comes from; beside that the session cookie is `SameSite=Lax`, and every write on a hold
//! or an order carries its token, which no other site knows. `Origin: null` alone proves nothing: our own pages send it, since they send no referrer.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use voelgoed_domain::refusal::{Code, Refusal};

use crate::problem::Failure;
use crate::state::Web;

/// The most fields of a form: a hold has at most 100 places.
const MOST_FIELDS: usize = 1_000;

/// The fields in their order, decoded.
#[derive(Debug, Default)]
pub struct Form(pub Vec<(String, String)>);

impl Form {
    /// The first value of a field, trimmed; empty counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.trim());
        values.find(|value| !value.is_empty())
    }

    /// Every value of a field, trimmed.
    pub fn all<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    }

    /// A field that our own form always has.
    ///
    /// # Errors
    /// `invalid_request` with its name.
    pub fn must(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::invalid(name, "This field is missing."))
    }
}

/// The query of a page's address, read like a form: what is not understood counts as absent.
#[derive(Debug, Default)]
pub struct Query(pub Form);

impl FromRequestParts<Web> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Infallible> {
        let mut fields = decode(parts.uri.query().unwrap_or_default().as_bytes());
        fields.truncate(MOST_FIELDS);
        Ok(Self(Form(fields)))
    }
}

impl FromRequest<Web> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Failure> {
        if is_foreign(request.headers()) {
            return Err(Refusal::new(Code::CsrfMismatch, "This form was not sent by a page of this shop.").into());
        }
        let body: Bytes = crate::extract::bytes(request, web).await?;
        let fields: Vec<(String, String)> = decode(&body);
        if fields.len() > MOST_FIELDS {
            return Err(Refusal::invalid("form", "Too many fields.").into());
        }
        Ok(Self(fields))
    }
}

/// The first value of a field of a form that was not parsed yet.
pub fn form_field(body: &[u8], name: &str) -> Option<String> {
    decode(body).into_iter().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned())
}

/// Decodes `application/x-www-form-urlencoded`.
fn decode(body: &[u8]) -> Vec<(String, String)> {
    // The parser of queries reads forms too; a body that is no query has no fields.
    let query = std::str::from_utf8(body).ok().map(|text| text.replace([' ', '#'], ""));
    let uri = query.and_then(|query| format!("/?{query}").parse::<Uri>().ok());
    let parsed = uri.and_then(|uri| axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).ok());
    parsed.map(|query| query.0).unwrap_or_default()
}

/// True where the browser says that another site's page sent this.
fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    match text(header::ORIGIN.as_str()) {
        None | Some("null") => false,
        Some(origin) => origin.split_once("://").map(|(_, host)| host) != text(header::HOST.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_other_sites_are_told_apart() {
        for (fields, expected) in [
            (vec![("sec-fetch-site", "same-origin"), ("origin", "null")], false),
            (vec![("sec-fetch-site", "cross-site")], true),
            (vec![("sec-fetch-site", "same-site")], true),
            (vec![("origin", "http://shop.example:8080"), ("host", "shop.example:8080")], false),
            (vec![("origin", "http://evil.example"), ("host", "shop.example:8080")], true),
            (vec![("origin", "http://shop.example"), ("host", "shop.example:8080")], true),
            (vec![("origin", "null"), ("host", "shop.example")], false),
            (vec![("host", "shop.example")], false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in &fields {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(is_foreign(&headers), expected, "{fields:?}");
        }
    }

    #[test]
    fn repeated_and_escaped_fields_are_read() {
        let form = Form(decode(b"place=12&place=13&name=Ren%C3%A9e+%26+co&empty=&qty%3Aar_1%3Att_2=3"));
        assert_eq!(form.all("place").collect::<Vec<_>>(), ["12", "13"]);
        assert_eq!(
            (form.get("name"), form.get("empty"), form.get("qty:ar_1:tt_2")),
            (Some("Renée & co"), None, Some("3"))
        );
        assert!(Form(decode(&[0xff, 0xfe])).0.is_empty());
    }
}
