//! Decodes the rows of a batch or list one by one, so that one undecodable row does not block the others.
//!
//! Never: for a decision that needs every row (the prices of an order, the places of an event); such a read fails as a whole.

use voelgoed_app::page::Page;
use voelgoed_telemetry::metrics::cold::row_unreadable;

use crate::db::DbResult;

/// Decodes the rows of the table `stored_as`; undecodable rows are counted, logged and left out.
pub(crate) fn decode_each<R, T>(
    stored_as: &'static str,
    rows: Vec<R>,
    mut decode: impl FnMut(R) -> DbResult<T>,
) -> Vec<T> {
    rows.into_iter().filter_map(|row| decoded_or_none(stored_as, decode(row))).collect()
}

/// [`decode_each`] for a page. The page is cut before decoding, so the cursor of the next page is right.
pub(crate) fn decode_page<R, T>(
    stored_as: &'static str,
    page: Page<R>,
    decode: impl FnMut(R) -> DbResult<T>,
) -> Page<T> {
    Page { items: decode_each(stored_as, page.items, decode), next: page.next }
}

fn decoded_or_none<T>(stored_as: &'static str, decoded: DbResult<T>) -> Option<T> {
    decoded.inspect_err(|error| row_unreadable(stored_as, error)).ok()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::db::DbError;

    #[test]
    fn undecodable_row_is_left_out_and_keeps_the_cursor_of_the_next_page() {
        let rows: Vec<u128> = (1..=4).collect();
        let page = Page::cut(rows, 3, |row| Uuid::from_u128(*row));
        let page = decode_page("test", page, |row| if row == 3 { Err(DbError::internal("odd")) } else { Ok(row * 10) });
        assert_eq!((page.items, page.next), (vec![10, 20], Some(Uuid::from_u128(3))));
    }
}
