//! Lists in pages: ordered by identifier (UUIDv7, so by age), continued by a cursor.

use uuid::Uuid;

/// The most items of one page.
pub const MOST_ITEMS: u32 = 200;
/// The items of a page where the caller does not say.
pub const USUAL_ITEMS: u32 = 50;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    /// After this identifier, exclusive; from the beginning where absent.
    pub after: Option<Uuid>,
    /// How many, 1 to [`MOST_ITEMS`].
    pub most: u32,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { after: None, most: USUAL_ITEMS }
    }
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// Its items.
    pub items: Vec<T>,
    /// Where the next part starts, if there is one.
    pub next: Option<Uuid>,
}

impl<T> Page<T> {
    /// Cuts a list that was read with one item more than wanted.
    pub fn cut(mut items: Vec<T>, most: u32, id: impl Fn(&T) -> Uuid) -> Self {
        let most = most as usize;
        let next = if items.len() > most {
            items.truncate(most);
            items.last().map(id)
        } else {
            None
        };
        Self { items, next }
    }

    /// The same page of other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}
