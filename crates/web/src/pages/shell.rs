//! What every page has around its content, and how a page becomes an answer.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use voelgoed_app::error::Fault;

use super::assets;
use crate::problem::Failure;

/// The head and frame of a page; templates call it `shell`.
#[derive(Debug)]
pub struct Shell {
    /// What the window is called.
    pub title: String,
}

impl Shell {
    /// A page with this title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into() }
    }

    /// Where an asset is served.
    #[expect(clippy::unused_self, reason = "templates reach it through the shell")]
    pub fn asset(&self, file: &str) -> String {
        assets::url(file)
    }
}

/// A rendered page. It may show somebody's places, so no cache keeps it.
pub fn page<T: Template>(status: StatusCode, template: &T) -> Response {
    match template.render() {
        Ok(html) => {
            let mut response = (status, html).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => Failure::from(Fault::internal(format!("template: {error}"))).into_response(),
    }
}
