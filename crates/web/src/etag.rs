//! Answers 304 where the client has the current version, by `If-None-Match` as RFC 9110 (13.1.2) defines it.
//!
//! Ours instead of the `headers` crate, which nothing else here needs: it would be three more crates in every build for one header.
//! Never: a 304 for anything but GET, or by a part of a tag. To make a response conditional: [`etag_response`] around its body.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// `body` with its tag, or 304 where the client has it. Either has `cache_control`, see [`crate::routes::CachePolicy::header`].
pub fn etag_response(
    request_headers: &HeaderMap,
    etag: &str,
    cache_control: Option<&'static str>,
    body: impl FnOnce() -> Response,
) -> Response {
    let is_current = matches_etag(request_headers, etag);
    let mut response = if is_current { StatusCode::NOT_MODIFIED.into_response() } else { body() };
    let headers = response.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(header::ETAG, etag);
    }
    if let Some(cache_control) = cache_control {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control));
    }
    response
}

/// Whether `If-None-Match` names the tag: `*`, or a list of tags, compared without regard to weakness.
pub fn matches_etag(request_headers: &HeaderMap, etag: &str) -> bool {
    let mut lines = request_headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    lines.any(|line| line.trim() == "*" || tags(line).any(|tag| tag == opaque(etag)))
}

/// The quoted parts of a list of tags.
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
    fn lists_stars_and_weak_tags_are_matched_and_parts_of_tags_are_not() {
        for (lines, etag, expected) in [
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
            assert_eq!(matches_etag(&headers, etag), expected, "{lines:?} for {etag}");
        }
    }
}
