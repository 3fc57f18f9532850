//! Scripts, styles and pictures, embedded into the binary.
//!
//! Their URL carries a digest of all of them, so they may be cached for ever, and scripts import each other by relative paths.
//! Never: a file that a page does not use (tidy looks). To add one: the file in `assets/`, and its name where it is used.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use voelgoed_domain::refusal::Refusal;

use crate::conditional::conditional;
use crate::precompressed::Precompressed;
use crate::problem::Answer;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// Each file with its tag, compressed once.
static FILES: LazyLock<HashMap<String, (String, Precompressed)>> = LazyLock::new(|| {
    let files = Files::iter().filter_map(|name| Some((Files::get(&name)?, name.into_owned())));
    files
        .map(|(file, name)| {
            let etag = format!("\"{}\"", hex(&file.metadata.sha256_hash()[..8]));
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
    let (etag, file) = FILES.get(&name).ok_or_else(Refusal::not_found)?;
    let lasting = if version == *VERSION { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    Ok(conditional(&headers, etag, lasting, || file.answer(&headers)))
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
