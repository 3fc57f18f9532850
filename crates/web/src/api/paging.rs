//! Lists as they are sent: `{"items": […], "next": cursor|null}`, continued with `?after=`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use voelgoed_app::page::{MOST_ITEMS, Page, PageRequest, USUAL_ITEMS};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// The cursor that the part before gave as `next`.
    #[param(value_type = Option<String>)]
    pub after: Option<Uuid>,
    /// How many items, 1 to 200; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

impl ListParams {
    /// As the ports take it.
    ///
    /// # Errors
    /// `invalid_request` where the limit is outside of 1 to 200.
    pub fn page(self) -> Result<PageRequest, Refusal> {
        let most = self.limit.unwrap_or(USUAL_ITEMS);
        if most == 0 || most > MOST_ITEMS {
            return Err(Refusal::invalid("limit", format!("Ask for 1 to {MOST_ITEMS} items.")));
        }
        Ok(PageRequest { after: self.after, most })
    }
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListDto<T> {
    /// Its items.
    pub items: Vec<T>,
    /// The cursor of the next part.
    #[schema(value_type = Option<String>)]
    pub next: Option<Uuid>,
    /// True where the store is away and this is what was known last; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<bool>,
    /// When it was so, where it is stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// The moment of this answer, where it is stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub now: Option<Timestamp>,
}

impl<T> ListDto<T> {
    /// A page, rendered.
    pub fn of<U>(page: Page<U>, render: impl FnMut(U) -> T) -> Self {
        let Page { items, next } = page.map(render);
        Self { next, ..Self::whole(items) }
    }

    /// The same as what was known at `at`, where it was not read now.
    pub fn known(self, at: Option<Timestamp>, now: Timestamp) -> Self {
        Self { stale: at.map(|_| true), at, now: at.map(|_| now), ..self }
    }

    /// A whole list that is never long.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None, stale: None, at: None, now: None }
    }
}
