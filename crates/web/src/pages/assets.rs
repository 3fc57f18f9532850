//! Serves embedded scripts, styles and pictures under a URL with a digest of all of them, so that browsers cache them for ever.
//!
//! Scripts import each other by relative paths. Never: a file that no page uses (`cargo xtask tidy` checks). To add a file: put it into `assets/` and name it
//! where it is used.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use voelgoed_domain::refusal::Refusal;

use crate::etag::etag_response;
use crate::precompressed::Precompressed;
use crate::problem::HandlerResult;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// Each file with its tag, compressed once.
static FILES: LazyLock<HashMap<String, (String, Precompressed)>> = LazyLock::new(|| {
    let files = Files::iter().filter_map(|name| Some((Files::get(&name)?, name.into_owned())));
    files
        .map(|(file, name)| {
            let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..8]));
            let content = Precompressed::new(file.data.into_owned().into(), content_type(&name));
            (name, (etag, content))
        })
        .collect()
});

/// A digest of every file's name and content.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    let mut hasher = Sha256::new();
    for name in names {
        hasher.update(name.as_bytes());
        hasher.update(Files::get(&name).map(|file| file.metadata.sha256_hash()).unwrap_or_default());
    }
    hex::encode(&hasher.finalize()[..6])
});

/// The URL of a file.
pub fn url(file: &str) -> String {
    format!("/assets/{}/{file}", *VERSION)
}

/// Serves a file. The URL of another version gets this version's content, to be revalidated.
pub async fn serve(Path((version, name)): Path<(String, String)>, headers: HeaderMap) -> HandlerResult<Response> {
    let (etag, file) = FILES.get(&name).ok_or_else(Refusal::not_found)?;
    let lasting = if version == *VERSION { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    Ok(etag_response(&headers, etag, Some(lasting), || file.response(&headers)))
}

/// Redirects `/favicon.ico`, which browsers request by themselves.
pub async fn icon() -> axum::response::Redirect {
    axum::response::Redirect::temporary(&url("icon.svg"))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
