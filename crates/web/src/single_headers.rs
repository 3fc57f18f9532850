//! Refuses a request in which a header that has one value is repeated with another, so that a proxy and a handler never read different values.

use axum::http::HeaderMap;
use voelgoed_domain::refusal::Refusal;

/// The headers that have one value, and their spelling in messages.
const SINGLE: &[(&str, &str)] = &[
    ("authorization", "Authorization"),
    ("content-type", "Content-Type"),
    ("idempotency-key", "Idempotency-Key"),
    ("x-csrf-token", "X-CSRF-Token"),
    ("x-session", "X-Session"),
    ("x-token", "X-Token"),
];

/// Checks the headers; the same value twice counts as one.
///
/// # Errors
/// `invalid_request` with the header's name.
pub fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    // Few requests repeat any header.
    if headers.len() == headers.keys_len() {
        return Ok(());
    }
    for (name, shown) in SINGLE {
        let mut values = headers.get_all(*name).iter();
        let first = values.next();
        if values.any(|value| Some(value) != first) {
            let detail = format!("Send one header {shown} only; this request has several with different values.");
            return Err(Refusal::invalid(*shown, detail));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{SINGLE, check};

    #[test]
    fn header_with_two_different_values_is_refused_and_named() {
        for (name, shown) in SINGLE {
            let name: HeaderName = name.parse().unwrap();
            for (values, fits) in [
                (&["a"][..], true),
                (&["a", "a"], true),
                (&["a", "b"], false),
                (&["a", "a", "b"], false),
                (&["a", ""], false),
                (&["a", "A"], false),
            ] {
                let mut headers = HeaderMap::new();
                for value in values {
                    headers.append(name.clone(), HeaderValue::from_static(value));
                }
                let checked = check(&headers);
                assert_eq!(checked.is_ok(), fits, "{name} {values:?}");
                if let Err(refusal) = checked {
                    assert_eq!(refusal.evidence.field.as_deref(), Some(*shown));
                }
            }
        }
    }

    #[test]
    fn repeatable_headers_are_accepted() {
        let mut headers = HeaderMap::new();
        for value in ["a=1", "b=2"] {
            headers.append("cookie", HeaderValue::from_static(value));
            headers.append("accept", HeaderValue::from_static(value));
        }
        assert!(check(&headers).is_ok());
    }
}
