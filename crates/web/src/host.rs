//! Which host a request is for: said exactly once (RFC 9112, 3.2), so that a proxy and this server never mean two different ones.

use axum::http::uri::Authority;
use axum::http::{HeaderValue, Request, Version, header};
use axum::response::{IntoResponse, Response};
use voelgoed_domain::refusal::Refusal;

use crate::problem::Failure;

/// The refusal of a request that names no host, several, or another one than its target; its connection ends with it.
pub fn refusal<B>(request: &Request<B>) -> Option<Response> {
    let detail = wrong(request)?;
    let mut response = Failure::from(Refusal::invalid("Host", detail)).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Some(response)
}

fn wrong<B>(request: &Request<B>) -> Option<&'static str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host,
        // HTTP/1.0 has no such header.
        (None, _) if request.version() < Version::HTTP_11 => return None,
        (None, _) => return Some("Send the header Host."),
        (Some(_), Some(_)) => return Some("Send one header Host only."),
    };
    let host = host.to_str().ok().and_then(|text| text.parse::<Authority>().ok());
    match (host, request.uri().authority()) {
        (Some(host), _) if host.as_str().contains('@') => Some("The header Host names no host."),
        (Some(host), Some(target)) if host != *target => Some("The header Host and the target name different hosts."),
        (Some(_), _) => None,
        (None, _) => Some("The header Host names no host."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_its_host_exactly_once() {
        for (version, target, hosts, fits) in [
            (Version::HTTP_11, "/", &["a"][..], true),
            (Version::HTTP_11, "/", &["a.example:8080"], true),
            (Version::HTTP_11, "/", &["[::1]:8080"], true),
            (Version::HTTP_11, "/", &[], false),
            (Version::HTTP_11, "/", &[""], false),
            (Version::HTTP_11, "/", &["a", "a"], false),
            (Version::HTTP_11, "/", &["a", "b"], false),
            (Version::HTTP_11, "/", &["a b"], false),
            (Version::HTTP_11, "/", &["a, b"], false),
            (Version::HTTP_11, "/", &["user@a"], false),
            (Version::HTTP_11, "/", &["a/b"], false),
            (Version::HTTP_11, "/", &["http://a"], false),
            (Version::HTTP_11, "http://a/x", &["a"], true),
            (Version::HTTP_11, "http://A/x", &["a"], true),
            (Version::HTTP_11, "http://b/x", &["a"], false),
            (Version::HTTP_11, "http://a:81/x", &["a"], false),
            (Version::HTTP_10, "/", &[], true),
            (Version::HTTP_10, "/", &["a"], true),
            (Version::HTTP_10, "/", &["a", "b"], false),
        ] {
            let mut request = Request::builder().version(version).uri(target);
            for host in hosts {
                request = request.header(header::HOST, *host);
            }
            let refused = refusal(&request.body(()).unwrap());
            assert_eq!(refused.is_none(), fits, "{target} {hosts:?}");
        }
    }
}
