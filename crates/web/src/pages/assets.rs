//! Scripts, styles and pictures, embedded into the binary.
//!
//! Their URL carries a digest of all of them, so they may be cached for ever, and scripts import each other by relative paths.
//! Never: a file that a page does not use (tidy looks). To add one: the file in `assets/`, and its name where it is used.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use voelgoed_domain::refusal::Refusal;

use crate::conditional::conditional;
use crate::problem::Answer;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// A digest of every file's name and content.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    let mut hasher = Sha256::new();
    for name in names {
        hasher.update(name.as_bytes());
        hasher.update(Files::get(&name).map(|file| file.metadata.sha256_hash()).unwrap_or_default());
    }
    hex(&hasher.finalize()[..6])
});

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where a file is served.
pub fn url(file: &str) -> String {
    format!("/assets/{}/{file}", *VERSION)
}

/// A file. An older version's URL gets today's content, which is then not kept.
pub async fn serve(Path((version, name)): Path<(String, String)>, headers: HeaderMap) -> Answer<Response> {
    let file = Files::get(&name).ok_or_else(Refusal::not_found)?;
    let etag = format!("\"{}\"", hex(&file.metadata.sha256_hash()[..8]));
    let lasting = if version == *VERSION { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    let body = || ([(header::CONTENT_TYPE, content_type(&name))], file.data.into_owned()).into_response();
    Ok(conditional(&headers, &etag, lasting, body))
}

/// What browsers ask for by themselves.
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
