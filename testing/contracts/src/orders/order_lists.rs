//! Cases of reading orders: lists come in pages, and other organizations see nothing (P7).

use voelgoed_app::checkout::ports::NewOrder;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::idempotency::Created;
use voelgoed_app::page::PageRequest;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::OrderId;
use voelgoed_domain::refusal::Code;

use crate::sales_fixture::{SalesFixture, SalesTier, assert_code};
use crate::sut::Sut;

/// Every method behaves as if there were no order (P7).
pub async fn other_organizations_see_nothing<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let order = fixture.new_free_order(&[1]);
    fixture.place_order(&order).await;
    let (unpaid, _) = fixture.placed_order(&[2]).await;
    let ticket = fixture.read_order(order.id).await.tickets[0].id;
    let (store, other_organization, now) = (fixture.store(), fixture.other_organization, fixture.environment().now());
    assert_eq!(store.read_order(other_organization, order.id).await.unwrap(), None);
    assert_eq!(store.order_of_hold(other_organization, order.hold).await.unwrap(), None);
    assert_eq!(store.orders(other_organization, None, PageRequest::default()).await.unwrap().items, []);
    assert_eq!(store.orders(other_organization, Some(fixture.event), PageRequest::default()).await.unwrap().items, []);
    assert_eq!(store.read_ticket(other_organization, ticket).await.unwrap(), None);
    assert_code(
        store.close_unpaid(other_organization, unpaid, OrderState::Expired, now).await.unwrap(),
        Code::NotFound,
    );
    assert_code(store.request_cancellation(other_organization, unpaid, now).await.unwrap(), Code::NotFound);
    assert_eq!(fixture.read_order(unpaid).await.order.version, 1, "unchanged");
    // The same hold, key and places in another organization are separate.
    let theirs = NewOrder { id: new_id(fixture.environment()), ..order };
    assert!(matches!(store.place_order(other_organization, theirs).await.unwrap(), Ok(Created::Fresh(()))));
}

/// A list of an organization, or of one of its events, is in the order of placement.
pub async fn orders_are_listed_in_pages<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let mut ids = Vec::new();
    for place in 0..7 {
        let mut order = fixture.new_order(&[place]);
        if place == 3 {
            order.event = new_id(fixture.environment());
        }
        fixture.place_order(&order).await;
        ids.push(order.id);
    }
    let (mut after, mut read, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = fixture.store().orders(fixture.organization, None, PageRequest { after, limit: 3 }).await.unwrap();
        read.extend(page.items.iter().map(|order| order.id));
        (after, pages) = (page.next, pages + 1);
        if after.is_none() {
            break;
        }
    }
    assert_eq!((&read, pages), (&ids, 3));
    let of_event =
        fixture.store().orders(fixture.organization, Some(fixture.event), PageRequest::default()).await.unwrap();
    ids.remove(3);
    assert_eq!(of_event.items.iter().map(|order| order.id).collect::<Vec<_>>(), ids);
    assert_eq!(of_event.next, None);
}

/// Newest first, up to the limit; orders of other sessions are not listed.
pub async fn session_finds_its_orders_of_every_organization<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let store = fixture.store();
    let first = fixture.new_order(&[1]);
    let second = NewOrder { session: first.session, ..fixture.new_order(&[2]) };
    for order in [&first, &second, &fixture.new_order(&[3])] {
        fixture.place_order(order).await;
    }
    // The same event and places in another organization are separate.
    let of_other_organization = NewOrder { session: first.session, ..fixture.new_order(&[1]) };
    assert!(matches!(
        store.place_order(new_id(fixture.environment()), of_other_organization.clone()).await.unwrap(),
        Ok(Created::Fresh(()))
    ));
    let found = async |limit| -> Vec<OrderId> {
        store.orders_of_session(first.session, limit).await.unwrap().into_iter().map(|order| order.id).collect()
    };
    assert_eq!(found(10).await, [of_other_organization.id, second.id, first.id]);
    assert_eq!(found(1).await, [of_other_organization.id]);
    assert_eq!(store.orders_of_session(new_id(fixture.environment()), 10).await.unwrap(), []);
}
