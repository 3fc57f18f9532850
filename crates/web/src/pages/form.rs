//! Extracts the fields of a form or a query in their order, and refuses forms that another site's page sent (`csrf_mismatch`).
//!
//! Browsers name the origin of a form. Two defences remain without it: the session cookie is `SameSite=Lax`, and each write on a hold or an order carries a token.
//! `Origin: null` alone proves nothing: pages of the shop send it too, because they send no referrer. The fields stay a list instead of a struct by
//! `serde_html_form`, because a failed form is shown again with all of them.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use voelgoed_domain::refusal::{Code, Refusal};

use crate::problem::Failure;
use crate::state::Web;

/// A hold has at most 100 places.
const FORM_FIELDS_MAX: usize = 1_000;

/// The fields of a form in their order, decoded.
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

    /// A field that the shop's form always has.
    ///
    /// # Errors
    /// `invalid_request` with its name.
    pub fn must(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::invalid(name, "This field is missing."))
    }
}

/// The query of a page's address, read like a form; unknown fields are ignored.
#[derive(Debug, Default)]
pub struct Query(pub Form);

impl FromRequestParts<Web> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Infallible> {
        let mut fields = decode(parts.uri.query().unwrap_or_default().as_bytes());
        fields.truncate(FORM_FIELDS_MAX);
        Ok(Self(Form(fields)))
    }
}

impl FromRequest<Web> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Failure> {
        if is_foreign(request.headers()) {
            return Err(Refusal::new(Code::CsrfMismatch, "This form was not sent by a page of this shop.").into());
        }
        let body: Bytes = crate::extract::read_body(request, web).await?;
        let fields: Vec<(String, String)> = decode(&body);
        if fields.len() > FORM_FIELDS_MAX {
            return Err(Refusal::invalid("form", "Too many fields.").into());
        }
        Ok(Self(fields))
    }
}

/// The first value of a field in the body of a form.
pub fn form_field(body: &[u8], name: &str) -> Option<String> {
    decode(body).into_iter().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned())
}

/// Decodes `application/x-www-form-urlencoded`; bytes that are not UTF-8 are no form.
fn decode(body: &[u8]) -> Vec<(String, String)> {
    let is_text = std::str::from_utf8(body).is_ok();
    if is_text { form_urlencoded::parse(body).into_owned().collect() } else { Vec::new() }
}

/// True if the browser names another site as the sender.
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
    fn form_of_another_site_is_foreign() {
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
    fn repeated_and_escaped_fields_are_decoded() {
        let form = Form(decode(b"place=12&place=13&name=Ren%C3%A9e+%26+co&empty=&qty%3Aar_1%3Att_2=3"));
        assert_eq!(form.all("place").collect::<Vec<_>>(), ["12", "13"]);
        assert_eq!(
            (form.get("name"), form.get("empty"), form.get("qty:ar_1:tt_2")),
            (Some("Renée & co"), None, Some("3"))
        );
        assert!(Form(decode(&[0xff, 0xfe])).0.is_empty());
    }
}
