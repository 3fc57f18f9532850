//! What `PlaceStore` promises: each place is one row that moves by its version, blocks are all or nothing, tenants never mix (P1, P7).

use uuid::Uuid;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::ticketing::ports::Block;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place::{Epoch, PlaceNumber, PlaceState};

use crate::selling::{Shop, Tier};
use crate::subject::Subject;

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! place_store_suite {
    ($open:expr) => {
        $crate::cases! { places, $open;
            epochs_count_up_for_each_event_by_itself
            a_block_is_all_or_nothing
            an_unblocked_place_can_be_sold
            only_what_is_blocked_is_given_back
            an_inventory_is_every_touched_place_and_ticket
            tenants_do_not_see_each_others_places
        }
    };
}

fn numbers(places: &[u32]) -> Vec<PlaceNumber> {
    places.iter().map(|place| PlaceNumber(*place)).collect()
}

async fn block<S: Tier>(shop: &Shop<S>, places: &[u32]) -> Result<Uuid, Refusal> {
    let id = shop.environment().uuid();
    let block = Block { id, places: numbers(places), reason: "sound desk".into() };
    shop.store().block(shop.organization, shop.event, block, None).await.unwrap().map(|_| id)
}

async fn unblock<S: Tier>(shop: &Shop<S>, places: &[u32]) -> Vec<PlaceNumber> {
    shop.store().unblock(shop.organization, shop.event, &numbers(places)).await.unwrap()
}

/// Each raise is one more, whatever other events do.
pub async fn epochs_count_up_for_each_event_by_itself<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let other: EventId = fresh(shop.environment());
    for (organization, event, expected) in [
        (shop.organization, shop.event, 1),
        (shop.organization, shop.event, 2),
        (shop.organization, other, 1),
        (shop.stranger, shop.event, 1),
        (shop.organization, shop.event, 3),
    ] {
        assert_eq!(shop.store().raise_epoch(organization, event).await.unwrap(), Epoch(expected));
    }
}

/// A block with one taken place changes nothing and names exactly that one.
pub async fn a_block_is_all_or_nothing<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let id = block(&shop, &[3, 1, 2, 2]).await.unwrap();
    assert_eq!(shop.places(&[1, 2, 3, 4]).await, "1:blocked.1 2:blocked.1 3:blocked.1");
    let facts = shop.facts().await;
    let [OutboxEvent::PlacesChanged { event, claimed_by: None, effects }] = facts.as_slice() else {
        panic!("{facts:?}")
    };
    assert_eq!((*event, effects.len()), (shop.event, 3));
    assert!(effects.iter().all(|effect| effect.owner == Some(id) && effect.state == PlaceState::Blocked));
    shop.ordered(&[5]).await;
    shop.facts().await;
    let refusal = block(&shop, &[4, 5, 3]).await.unwrap_err();
    assert_eq!((refusal.code, refusal.evidence.places), (Code::PlaceTaken, numbers(&[3, 5])));
    assert_eq!(shop.places(&[4]).await, "", "nothing of it was written");
    assert_eq!(shop.facts().await, []);
}

/// Blocked is not for sale; given back it is.
pub async fn an_unblocked_place_can_be_sold<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    block(&shop, &[1, 2]).await.unwrap();
    let order = shop.an_order(&[1, 7]);
    assert_eq!(shop.refused(&order).await.evidence.places, numbers(&[1]));
    assert_eq!(unblock(&shop, &[1]).await, numbers(&[1]));
    shop.place(&order).await;
    assert_eq!(shop.places(&[1, 2, 7]).await, "1:claimed.3 2:blocked.1 7:claimed.1");
}

/// Free, claimed and untouched places are left alone.
pub async fn only_what_is_blocked_is_given_back<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    block(&shop, &[1, 2]).await.unwrap();
    shop.ordered(&[3]).await;
    shop.facts().await;
    assert_eq!(unblock(&shop, &[9, 3, 2, 1, 1]).await, numbers(&[1, 2]));
    let facts = shop.facts().await;
    let [OutboxEvent::PlacesChanged { effects, .. }] = facts.as_slice() else { panic!("{facts:?}") };
    assert!(effects.iter().all(|effect| effect.state == PlaceState::Free && effect.version.0 == 2));
    assert_eq!(unblock(&shop, &[1, 2, 3]).await, []);
    assert_eq!(shop.facts().await, [], "nothing changed, so nothing is told");
}

/// What a rebuild of the warm tier reads.
pub async fn an_inventory_is_every_touched_place_and_ticket<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, tickets) = shop.paid(&[1, 2, 3]).await;
    shop.ordered(&[4]).await;
    block(&shop, &[5]).await.unwrap();
    let scan = crate::scans::a_scan(&shop, Some(tickets[0].id));
    shop.store().record_scan(shop.organization, scan).await.unwrap();
    let refund = shop.a_refund(order, payment, crate::selling::PAID, &tickets[1..2]);
    shop.store().open_refund(shop.organization, refund, None).await.unwrap().unwrap();
    let inventory = shop.store().read_inventory(shop.organization, shop.event).await.unwrap();
    let states: Vec<_> = inventory.places.iter().map(|effect| (effect.place.0, effect.state.as_str())).collect();
    assert_eq!(states, [(1, "sold"), (2, "sold"), (3, "sold"), (4, "claimed"), (5, "blocked")]);
    assert_eq!((inventory.admitted, inventory.revoked), (vec![tickets[0].id], vec![tickets[1].id]));
}

/// The same numbers of the same event, in two organizations, are two places.
pub async fn tenants_do_not_see_each_others_places<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    block(&shop, &[1]).await.unwrap();
    let store = shop.store();
    assert_eq!(store.unblock(shop.stranger, shop.event, &numbers(&[1])).await.unwrap(), []);
    assert_eq!(store.read_places(shop.stranger, shop.event, &numbers(&[1])).await.unwrap(), []);
    assert_eq!(store.read_inventory(shop.stranger, shop.event).await.unwrap().places, []);
    let theirs = Block { id: shop.environment().uuid(), places: numbers(&[1]), reason: String::new() };
    store.block(shop.stranger, shop.event, theirs, None).await.unwrap().unwrap();
    assert_eq!(shop.places(&[1]).await, "1:blocked.1");
}
