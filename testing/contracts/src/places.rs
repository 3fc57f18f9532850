//! Contract tests of `PlaceStore`: each place is one row whose version counts up, blocks are all or nothing, organizations are separate (P1, P7).

use uuid::Uuid;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::ticketing::ports::Block;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place::{Epoch, PlaceState};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use crate::sales_fixture::{SalesFixture, SalesTier};
use crate::sut::Sut;

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! place_store_suite {
    ($open:expr) => {
        $crate::cases! { places, $open;
            epochs_are_counted_per_event
            block_with_a_taken_place_is_refused_whole
            unblocked_place_is_for_sale_again
            only_blocked_places_are_unblocked
            inventory_lists_every_changed_place_and_ticket
            places_of_organizations_are_separate
        }
    };
}

fn numbers(places: &[u32]) -> Vec<PlaceNumber> {
    places.iter().map(|place| PlaceNumber(*place)).collect()
}

async fn block<S: SalesTier>(fixture: &SalesFixture<S>, places: &[u32]) -> Result<Uuid, Refusal> {
    let id = fixture.environment().uuid();
    let block = Block { id, places: numbers(places), reason: "sound desk".into() };
    fixture.store().block(fixture.organization, fixture.event, block, None).await.unwrap().map(|_| id)
}

async fn unblock<S: SalesTier>(fixture: &SalesFixture<S>, places: &[u32]) -> Vec<PlaceNumber> {
    fixture.store().unblock(fixture.organization, fixture.event, &numbers(places)).await.unwrap()
}

/// Each raise adds one, independent of other events.
pub async fn epochs_are_counted_per_event<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let other: EventId = new_id(fixture.environment());
    for (organization, event, expected) in [
        (fixture.organization, fixture.event, 1),
        (fixture.organization, fixture.event, 2),
        (fixture.organization, other, 1),
        (fixture.other_organization, fixture.event, 1),
        (fixture.organization, fixture.event, 3),
    ] {
        assert_eq!(fixture.store().raise_epoch(organization, event).await.unwrap(), Epoch(expected));
    }
}

/// A block with one taken place changes nothing and names exactly that one.
pub async fn block_with_a_taken_place_is_refused_whole<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let id = block(&fixture, &[3, 1, 2, 2]).await.unwrap();
    assert_eq!(fixture.place_states(&[1, 2, 3, 4]).await, "1:blocked.1 2:blocked.1 3:blocked.1");
    let events = fixture.take_events().await;
    let [OutboxEvent::PlacesChanged { event, claimed_by: None, effects }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((*event, effects.len()), (fixture.event, 3));
    assert!(effects.iter().all(|effect| effect.owner == Some(id) && effect.state == PlaceState::Blocked));
    fixture.placed_order(&[5]).await;
    fixture.take_events().await;
    let refusal = block(&fixture, &[4, 5, 3]).await.unwrap_err();
    assert_eq!((refusal.code, refusal.evidence.places), (Code::PlaceTaken, numbers(&[3, 5])));
    assert_eq!(fixture.place_states(&[4]).await, "", "nothing was written");
    assert_eq!(fixture.take_events().await, []);
}

/// A blocked place is not for sale; an unblocked one is.
pub async fn unblocked_place_is_for_sale_again<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    block(&fixture, &[1, 2]).await.unwrap();
    let order = fixture.new_order(&[1, 7]);
    assert_eq!(fixture.place_refused_order(&order).await.evidence.places, numbers(&[1]));
    assert_eq!(unblock(&fixture, &[1]).await, numbers(&[1]));
    fixture.place_order(&order).await;
    assert_eq!(fixture.place_states(&[1, 2, 7]).await, "1:claimed.3 2:blocked.1 7:claimed.1");
}

/// Free, claimed and unknown places are unchanged.
pub async fn only_blocked_places_are_unblocked<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    block(&fixture, &[1, 2]).await.unwrap();
    fixture.placed_order(&[3]).await;
    fixture.take_events().await;
    assert_eq!(unblock(&fixture, &[9, 3, 2, 1, 1]).await, numbers(&[1, 2]));
    let events = fixture.take_events().await;
    let [OutboxEvent::PlacesChanged { effects, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert!(effects.iter().all(|effect| effect.state == PlaceState::Free && effect.version.0 == 2));
    assert_eq!(unblock(&fixture, &[1, 2, 3]).await, []);
    assert_eq!(fixture.take_events().await, [], "unchanged places publish nothing");
}

/// A rebuild of the warm tier reads the inventory.
pub async fn inventory_lists_every_changed_place_and_ticket<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, tickets) = fixture.paid_order(&[1, 2, 3]).await;
    fixture.placed_order(&[4]).await;
    block(&fixture, &[5]).await.unwrap();
    let scan = crate::scans::new_scan(&fixture, Some(tickets[0].id));
    fixture.store().record_scan(fixture.organization, scan).await.unwrap();
    let refund = fixture.new_refund(order, payment, crate::sales_fixture::PAID_PER_PLACE, &tickets[1..2]);
    fixture.store().open_refund(fixture.organization, refund, None).await.unwrap().unwrap();
    let inventory = fixture.store().read_inventory(fixture.organization, fixture.event).await.unwrap();
    let states: Vec<_> = inventory.places.iter().map(|effect| (effect.place.0, effect.state.as_str())).collect();
    assert_eq!(states, [(1, "sold"), (2, "sold"), (3, "sold"), (4, "claimed"), (5, "blocked")]);
    assert_eq!((inventory.admitted, inventory.revoked), (vec![tickets[0].id], vec![tickets[1].id]));
}

/// The same numbers of the same event in two organizations are two places.
pub async fn places_of_organizations_are_separate<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    block(&fixture, &[1]).await.unwrap();
    let store = fixture.store();
    assert_eq!(store.unblock(fixture.other_organization, fixture.event, &numbers(&[1])).await.unwrap(), []);
    assert_eq!(store.read_places(fixture.other_organization, fixture.event, &numbers(&[1])).await.unwrap(), []);
    assert_eq!(store.read_inventory(fixture.other_organization, fixture.event).await.unwrap().places, []);
    let theirs = Block { id: fixture.environment().uuid(), places: numbers(&[1]), reason: String::new() };
    store.block(fixture.other_organization, fixture.event, theirs, None).await.unwrap().unwrap();
    assert_eq!(fixture.place_states(&[1]).await, "1:blocked.1");
}
