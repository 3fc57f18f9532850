//! Cuts lists into pages: a page has its items and, where there are more, the cursor of the next one.

use uuid::Uuid;
use voelgoed_app::page::{PAGE_ITEMS_DEFAULT, Page, PageRequest};

/// A page of up to two items, from a list that was read with one item more than wanted.
fn page_of_two(items: u128) -> (Vec<u128>, Option<u128>) {
    let page = Page::cut((1..=items).collect(), 2, |item| Uuid::from_u128(*item)).map(|item| item * 10);
    (page.items, page.next.map(|next| next.as_u128()))
}

#[test]
fn cursor_of_the_next_page_is_the_last_item_of_this_one() {
    assert_eq!(page_of_two(0), (vec![], None));
    assert_eq!(page_of_two(1), (vec![10], None));
    assert_eq!(page_of_two(2), (vec![10, 20], None));
    assert_eq!(page_of_two(3), (vec![10, 20], Some(2)));
}

#[test]
fn page_begins_at_the_first_item_and_has_50_where_nothing_is_said() {
    let request = PageRequest::default();
    assert_eq!((request.after, request.limit), (None, PAGE_ITEMS_DEFAULT));
}
