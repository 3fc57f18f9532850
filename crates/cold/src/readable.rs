//! Decodes the rows of a batch or list one by one, so that a row which cannot be decoded does not stop the rest.
//!
//! Never: a decision that needs every row (the prices of an order, the places of an event); such a read fails as a whole.

use voelgoed_app::page::Page;
use voelgoed_telemetry::metrics::cold::row_unreadable;

use crate::db::Result;

/// The rows that can be decoded; the others are counted, logged and left out. `stored_as` names their table.
pub(crate) fn readable<R, T>(stored_as: &'static str, rows: Vec<R>, mut decode: impl FnMut(R) -> Result<T>) -> Vec<T> {
    rows.into_iter().filter_map(|row| kept(stored_as, decode(row))).collect()
}

/// The same of a page, which was cut before so that the next page begins where it should.
pub(crate) fn readable_page<R, T>(
    stored_as: &'static str,
    page: Page<R>,
    decode: impl FnMut(R) -> Result<T>,
) -> Page<T> {
    Page { items: readable(stored_as, page.items, decode), next: page.next }
}

fn kept<T>(stored_as: &'static str, decoded: Result<T>) -> Option<T> {
    decoded.inspect_err(|error| row_unreadable(stored_as, error)).ok()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::db::Error;

    #[test]
    fn unreadable_row_is_left_out_and_the_next_page_begins_where_it_should() {
        let rows: Vec<u128> = (1..=4).collect();
        let page = Page::cut(rows, 3, |row| Uuid::from_u128(*row));
        let page = readable_page("test", page, |row| if row == 3 { Err(Error::internal("odd")) } else { Ok(row * 10) });
        assert_eq!((page.items, page.next), (vec![10, 20], Some(Uuid::from_u128(3))));
    }
}
