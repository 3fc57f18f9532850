//! What a client has already is not sent again: `If-None-Match` as RFC 9110 (13.1.2) has it.
//!
//! Never: a 304 for anything but GET, or by a part of a tag. To make an answer conditional: [`conditional`] around its body.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// `body` under its tag, or 304 where the client has it; `caching` is sent with either.
pub fn conditional(asked: &HeaderMap, etag: &str, caching: &'static str, body: impl FnOnce() -> Response) -> Response {
    let mut response = if is_known(asked, etag) { StatusCode::NOT_MODIFIED.into_response() } else { body() };
    let headers = response.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(header::ETAG, etag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}

/// Whether `If-None-Match` names the tag: `*`, or a list of tags, compared without regard to weakness.
pub fn is_known(asked: &HeaderMap, etag: &str) -> bool {
    let mut lines = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    lines.any(|line| line.trim() == "*" || tags(line).any(|tag| tag == opaque(etag)))
}

/// The quoted parts of a list of tags; a tag may hold commas.
fn tags(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let list = rest.trim_start_matches([' ', '\t', ',']);
        let tag = opaque(list);
        let end = tag.strip_prefix('"')?.find('"')? + 2;
        rest = &tag[end..];
        Some(&tag[..end])
    })
}

fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_stars_and_weak_tags_are_understood() {
        for (lines, etag, known) in [
            (&[r#""a""#][..], r#""a""#, true),
            (&[r#""b""#], r#""a""#, false),
            (&["*"], r#""a""#, true),
            (&[" * "], r#""a""#, true),
            (&[r#""b", "a""#], r#""a""#, true),
            (&[r#""b","c" , W/"a""#], r#""a""#, true),
            (&[r#"W/"a""#], r#""a""#, true),
            (&[r#""a""#], r#"W/"a""#, true),
            (&[r#"W/"a""#], r#"W/"a""#, true),
            (&[r#""b""#, r#""a""#], r#""a""#, true),
            (&[r#"w/"a""#], r#""a""#, false),
            (&[r#""x, "a"", "b""#], r#""a""#, false),
            (&[r#""x,a", "y""#], r#""x,a""#, true),
            (&[r#""x,a""#], r#""a""#, false),
            (&["a"], r#""a""#, false),
            (&[r#""a"#], r#""a""#, false),
            (&[r#""*""#], r#""a""#, false),
            (&[""], r#""a""#, false),
            (&[","], r#""a""#, false),
            (&[], r#""a""#, false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::IF_NONE_MATCH, HeaderValue::from_static(line));
            }
            assert_eq!(is_known(&headers, etag), known, "{lines:?} for {etag}");
        }
    }
}
