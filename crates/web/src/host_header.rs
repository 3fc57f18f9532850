//! Requires exactly one host per request (RFC 9112, 3.2), so that a proxy and this server read the same host.
//!
//! Ours beside `http::uri::Authority`, which also accepts user info.

use std::net::Ipv6Addr;

use axum::http::uri::Authority;
use axum::http::{HeaderValue, Request, Version, header};
use axum::response::{IntoResponse, Response};
use voelgoed_domain::refusal::Refusal;

use crate::problem::Failure;

/// Of a host's name (RFC 3986 leaves it to DNS).
const NAME_BYTES_MAX: usize = 255;
/// The characters of a name beside letters, digits and percent-encoded bytes: `unreserved` and `sub-delims` without the comma.
const NAME_PUNCTUATION: &[u8] = b"-._~!$&'()*+;=";

/// The refusal of a request that names no host, several, or another one than its target; the connection is closed after it.
pub fn refusal<B>(request: &Request<B>) -> Option<Response> {
    let detail = host_error(request)?;
    let mut response = Failure::from(Refusal::invalid("Host", detail)).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Some(response)
}

fn host_error<B>(request: &Request<B>) -> Option<&'static str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host,
        // HTTP/1.0 has no such header.
        (None, _) if request.version() < Version::HTTP_11 => return None,
        (None, _) => return Some("Send the header Host."),
        (Some(_), Some(_)) => return Some("Send one header Host only."),
    };
    let host = host.to_str().ok().filter(|text| is_host(text)).and_then(|text| text.parse::<Authority>().ok());
    match (host, request.uri().authority()) {
        (Some(host), Some(target)) if host != *target => Some("The header Host and the target name different hosts."),
        (Some(_), _) => None,
        (None, _) => Some("The header Host names no host."),
    }
}

/// Whether a text is a host with or without a port (RFC 3986, 3.2.2): a name, an IPv4 address or a bracketed IPv6 address. A comma, which names may
/// have there, is refused: proxies join two lines with it.
fn is_host(text: &str) -> bool {
    let (host_fits, rest) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let Some((address, rest)) = bracketed.split_once(']') else { return false };
            (address.parse::<Ipv6Addr>().is_ok(), rest)
        }
        None => {
            let end = text.find(':').unwrap_or(text.len());
            let (name, rest) = text.split_at(end);
            (is_name(name), rest)
        }
    };
    let port_fits = match rest.strip_prefix(':') {
        Some(port) => is_port(port),
        None => rest.is_empty(),
    };
    host_fits && port_fits
}

fn is_name(name: &str) -> bool {
    let is_encoded =
        |at: usize| name.as_bytes().get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    let fits = |(at, byte): (usize, u8)| {
        byte.is_ascii_alphanumeric() || NAME_PUNCTUATION.contains(&byte) || byte == b'%' && is_encoded(at)
    };
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().enumerate().all(fits)
}

fn is_port(port: &str) -> bool {
    (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_is_a_name_or_an_address_with_or_without_a_port() {
        let longest = "a".repeat(NAME_BYTES_MAX);
        let longer = "a".repeat(NAME_BYTES_MAX + 1);
        for good in [
            "a",
            "a.example",
            "A-b.example.",
            "127.0.0.1:8080",
            "a:0",
            "a:65535",
            "a:00080",
            "[::1]",
            "[::1]:80",
            "[2001:db8::ffff:1.2.3.4]:1",
            "a_b",
            "xn--mller-kva.example",
            "a%41b",
            "a!$&'()*+;=b",
            &longest,
        ] {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "",
            ":",
            ":80",
            "a:",
            "a:b",
            "a:65536",
            "a:99999999",
            "a:000080",
            "a:+80",
            "a:-1",
            "a: 80",
            "a:80:80",
            "a,b",
            "a b",
            "a\tb",
            "::1",
            "[::1",
            "[::1]x",
            "[::1]:",
            "[::1]80",
            "[]",
            "[zz]",
            "[v1.a]",
            "[::1%25eth0]",
            "[1.2.3.4]",
            "a]",
            "[",
            "a/b",
            "a?b",
            "a#b",
            "user@a",
            "a\\b",
            "a%",
            "a%4",
            "a%zz",
            "<a>",
            "\"a\"",
            "a|b",
            "é",
            &longer,
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }

    #[test]
    fn request_without_exactly_one_host_is_refused() {
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
