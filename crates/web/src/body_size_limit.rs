//! Names the size limit of a request's body, by the body rules of its route.

use crate::routes::BodyRules;
use crate::settings::WebSettings;

/// How large a body may be.
#[derive(Debug, Clone, Copy)]
pub struct BodySizeLimit {
    /// The name of the limit in refusals: `largest_body` or `largest_layout`.
    pub name: &'static str,
    /// The limit.
    pub bytes_max: usize,
    /// True where the body takes its bytes from the part of the pool for seating plans.
    pub is_layout: bool,
}

impl BodySizeLimit {
    /// The limit of a route with these rules, or of a request without a route.
    #[must_use]
    pub fn new(settings: &WebSettings, rules: Option<BodyRules>) -> Self {
        match rules {
            Some(BodyRules::Layout) => {
                Self { name: "largest_layout", bytes_max: settings.layout_bytes_max, is_layout: true }
            }
            Some(BodyRules::Default | BodyRules::ScannedText) | None => {
                Self { name: "largest_body", bytes_max: settings.body_bytes_max, is_layout: false }
            }
        }
    }
}
