//! Reads long lists in pages, ordered by identifier (UUIDv7, so by age) and continued by a cursor.

use uuid::Uuid;

/// The limit of the items of one page.
pub const PAGE_ITEMS_MAX: u32 = 200;
/// The items of a page if the caller names no limit.
pub const PAGE_ITEMS_DEFAULT: u32 = 50;

/// Selects a page of a list.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    /// The last identifier of the page before; none for the first page.
    pub after: Option<Uuid>,
    /// 1 to [`PAGE_ITEMS_MAX`] items.
    pub limit: u32,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { after: None, limit: PAGE_ITEMS_DEFAULT }
    }
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// The cursor of the next page; none on the last page.
    pub next: Option<Uuid>,
}

impl<T> Page<T> {
    /// Builds a page from a list that was read with `limit + 1` items, so that the last page is recognised.
    pub fn cut(mut items: Vec<T>, limit: u32, id: impl Fn(&T) -> Uuid) -> Self {
        let limit = limit as usize;
        let next = if items.len() > limit {
            items.truncate(limit);
            items.last().map(id)
        } else {
            None
        };
        Self { items, next }
    }

    /// Converts every item and keeps the cursor.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}
