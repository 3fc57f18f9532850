//! Renders lists as `{"items": […], "next": cursor|null}`, and parses the cursor of the next page from `?after=`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use voelgoed_app::page::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX, Page, PageRequest};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

/// The requested page of a list.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// The cursor that the page before had as `next`.
    #[param(value_type = Option<String>)]
    pub after: Option<Uuid>,
    /// How many items, 1 to 200; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

impl ListParams {
    /// The page as ports take it.
    ///
    /// # Errors
    /// `invalid_request` where the limit is not within 1 to 200.
    pub fn page(self) -> Result<PageRequest, Refusal> {
        let most = self.limit.unwrap_or(PAGE_ITEMS_DEFAULT);
        if most == 0 || most > PAGE_ITEMS_MAX {
            return Err(Refusal::invalid("limit", format!("Ask for 1 to {PAGE_ITEMS_MAX} items.")));
        }
        Ok(PageRequest { after: self.after, limit: most })
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListDto<T> {
    /// Its items.
    pub items: Vec<T>,
    /// The cursor of the next page.
    #[schema(value_type = Option<String>)]
    pub next: Option<Uuid>,
    /// True where the store is unavailable and this is its last answer; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<bool>,
    /// When the store answered, where this is stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// The time of this response, where this is stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub now: Option<Timestamp>,
}

impl<T> ListDto<T> {
    /// Renders a page.
    pub fn of<U>(page: Page<U>, render: impl FnMut(U) -> T) -> Self {
        let Page { items, next } = page.map(render);
        Self { next, ..Self::whole(items) }
    }

    /// The same, marked as stale where `at` is given.
    pub fn stale_since(self, at: Option<Timestamp>, now: Timestamp) -> Self {
        Self { stale: at.map(|_| true), at, now: at.map(|_| now), ..self }
    }

    /// A list that is short enough for one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None, stale: None, at: None, now: None }
    }
}
