//! Cases of reading scans and tickets: pages, conflicts, ticket types.

use voelgoed_app::environment::new_id;
use voelgoed_app::page::PageRequest;
use voelgoed_app::scanning::ports::NewScan;
use voelgoed_domain::ids::TicketTypeId;

use super::{new_scan, paid_ticket, record_scan};
use crate::sales_fixture::{PAID_PER_PLACE, SalesFixture, SalesTier};
use crate::sut::Sut;

/// Tickets of other types and refunded tickets are left out.
pub async fn tickets_are_found_by_their_type<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, tickets) = fixture.paid_order(&[1, 2, 3]).await;
    fixture
        .store()
        .open_refund(fixture.organization, fixture.new_refund(order, payment, PAID_PER_PLACE, &tickets[..1]), None)
        .await
        .unwrap()
        .unwrap();
    let ticket_type = fixture.read_order(order).await.lines[0].ticket_type;
    let of = async |types: &[TicketTypeId], limit| {
        fixture.store().tickets_of_types(fixture.organization, fixture.event, types, limit).await.unwrap()
    };
    let expected: Vec<_> = tickets[1..].iter().map(|ticket| (ticket_type, ticket.id)).collect();
    assert_eq!(of(&[ticket_type, new_id(fixture.environment())], 9).await, expected);
    assert_eq!(of(&[ticket_type], 1).await, expected[..1]);
    assert_eq!(of(&[new_id(fixture.environment())], 9).await, []);
    let other_organization = new_id(fixture.environment());
    assert_eq!(
        fixture.store().tickets_of_types(other_organization, fixture.event, &[ticket_type], 9).await.unwrap(),
        []
    );
}

/// Pages are oldest first, of one event.
pub async fn scans_are_listed_all_or_conflicts_only<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let ticket = paid_ticket(&fixture, 1).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let new = NewScan { forced: true, ..new_scan(&fixture, Some(ticket)) };
        record_scan(&fixture, &new).await;
        ids.push(new.id);
    }
    let page = async |conflicts_only, after, limit| {
        let page = fixture
            .store()
            .scans(fixture.organization, fixture.event, conflicts_only, PageRequest { after, limit })
            .await
            .unwrap();
        (page.items.into_iter().map(|scan| scan.id).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(page(false, None, 3).await, (ids[..3].to_vec(), Some(ids[2].uuid())));
    assert_eq!(page(false, Some(ids[2].uuid()), 3).await, (ids[3..].to_vec(), None));
    assert_eq!(page(true, None, 9).await, (ids[1..].to_vec(), None));
    let other = fixture
        .store()
        .scans(fixture.organization, new_id(fixture.environment()), false, PageRequest::default())
        .await
        .unwrap();
    assert_eq!(other.items, []);
}
