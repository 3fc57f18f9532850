//! Compresses bytes with gzip, and finds the coding that a client accepts by `Accept-Encoding` (RFC 9110, 12.5.3).
//!
//! Ours on `flate2` instead of tower-http's layer, which compresses bodies of every size on the runtime's threads.

use std::io::Write;

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// Compressed where that is worth it.
    Gzip,
    /// Compressed, because the client excludes a body as it is (`identity;q=0`).
    GzipOnly,
}

impl Coding {
    /// Whether the client accepts gzip.
    pub fn accepts_gzip(self) -> bool {
        self != Self::Identity
    }
}

/// The bytes, compressed; none where that fails.
pub fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::default());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// The coding that the client prefers, gzip among equals; none where it accepts neither.
pub fn accepted_coding(request_headers: &HeaderMap) -> Option<Coding> {
    let (mut gzip, mut identity, mut any) = (None, None, None);
    let lines = request_headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    for item in lines.flat_map(|line| line.split(',')) {
        let (name, weight) = item.split_once(';').map_or((item, Some(1.0)), |(name, text)| (name, weight(text)));
        let found = match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => &mut gzip,
            "identity" => &mut identity,
            "*" => &mut any,
            _ => continue,
        };
        *found = found.or(weight);
    }
    let (gzip, identity) = (gzip.or(any).unwrap_or(0.0), identity.or(any));
    match identity {
        Some(0.0) if gzip > 0.0 => Some(Coding::GzipOnly),
        Some(0.0) => None,
        _ if gzip > 0.0 && gzip >= identity.unwrap_or(0.0) => Some(Coding::Gzip),
        // A body as it is may always be sent, unless the client excludes that.
        Some(_) | None => Some(Coding::Identity),
    }
}

/// The weight of `q=0.5`; none where the text is no weight.
fn weight(text: &str) -> Option<f32> {
    let text = text.trim();
    let number = text.strip_prefix("q=").or_else(|| text.strip_prefix("Q="))?;
    number.parse().ok().filter(|weight| (0.0..=1.0).contains(weight))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn gzip_is_chosen_where_the_client_accepts_it_and_prefers_nothing_else() {
        use Coding::{Gzip, GzipOnly, Identity};
        for (lines, expected) in [
            (&["gzip"][..], Some(Gzip)),
            (&["br, GZip;q=0.5"], Some(Gzip)),
            (&["deflate", "gzip"], Some(Gzip)),
            (&["*"], Some(Gzip)),
            (&["gzip;q=0.5, identity;q=0.5"], Some(Gzip)),
            (&["gzip;q=0.5, identity"], Some(Identity)),
            (&["identity;q=0, gzip;q=0.1"], Some(GzipOnly)),
            (&["gzip, *;q=0"], Some(GzipOnly)),
            (&["identity;q=0, *"], Some(GzipOnly)),
            (&["gzip;q=0"], Some(Identity)),
            (&["gzip; q=0.0, *"], Some(Identity)),
            (&["gzip;q=2"], Some(Identity)),
            (&["gzip;level=9"], Some(Identity)),
            (&["identity"], Some(Identity)),
            (&["br"], Some(Identity)),
            (&[""], Some(Identity)),
            (&[], Some(Identity)),
            (&["*;q=0, identity;q=0.1"], Some(Identity)),
            (&["*;q=0"], None),
            (&["br, identity;q=0"], None),
            (&["identity;q=0"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(accepted_coding(&headers), expected, "{lines:?}");
        }
    }
}
