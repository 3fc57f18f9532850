//! Renders a template within the head and frame that all pages share, as a response that no cache stores.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use voelgoed_app::error::Fault;

use super::assets;
use crate::problem::Failure;

/// The head and frame of a page; the field `page_layout` of each template.
#[derive(Debug)]
pub struct PageLayout {
    /// The title of the browser's window.
    pub title: String,
}

impl PageLayout {
    /// A page with this title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into() }
    }

    /// The URL of an asset.
    #[expect(clippy::unused_self, reason = "templates call it as a method")]
    pub fn asset(&self, file: &str) -> String {
        assets::url(file)
    }
}

/// A rendered page. It may show a buyer's places, so no cache stores it.
pub fn html_page<T: Template>(status: StatusCode, template: &T) -> Response {
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
