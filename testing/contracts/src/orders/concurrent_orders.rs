//! Cases of concurrent orders: repeats place one order, and no place is sold twice (P1, P3).

use std::collections::BTreeMap;

use voelgoed_app::checkout::ports::NewOrder;
use voelgoed_app::environment::new_id;
use voelgoed_app::idempotency::Created;
use voelgoed_domain::ids::OrderId;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place::PlaceState;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use crate::sales_fixture::{SalesFixture, SalesTier};
use crate::sut::Sut;

/// Thirty-nine of forty requests replay the answer (P3).
pub async fn concurrent_repeats_place_one_order<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let order = fixture.new_order(&[1, 2]);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (store, organization) = (fixture.store().clone(), fixture.organization);
        let order = NewOrder { id: new_id(fixture.environment()), ..order.clone() };
        tasks.spawn(async move { store.place_order(organization, order).await.unwrap().unwrap() });
    }
    let answers = tasks.join_all().await;
    let placed = answers.iter().filter(|answer| matches!(answer, Created::Fresh(()))).count();
    assert_eq!((placed, answers.len()), (1, 40));
    for answer in answers {
        assert!(
            matches!(&answer, Created::Fresh(()))
                || matches!(&answer, Created::Replayed(body) if *body == order.idempotency.answer)
        );
    }
    assert_eq!(fixture.place_states(&[1, 2]).await, "1:claimed.1 2:claimed.1");
}

/// 32 buyers try all places at once (P1).
pub async fn concurrent_buyers_claim_each_of_a_thousand_places_once<S: SalesTier>(sut: Sut<S>) {
    const PLACES: u32 = 1_000;
    const BUYERS: u32 = 32;
    let fixture = std::sync::Arc::new(SalesFixture::open(sut).await);
    let mut buyers = tokio::task::JoinSet::new();
    for buyer in 0..BUYERS {
        let fixture = fixture.clone();
        buyers.spawn(async move {
            let mut placed = Vec::new();
            // Each buyer starts at another place, so that every pair of buyers conflicts.
            for step in 0..PLACES {
                let place = (buyer * PLACES / BUYERS / 2 + step) % PLACES;
                let order = fixture.new_order(&[place]);
                match fixture.store().place_order(fixture.organization, order.clone()).await.unwrap() {
                    Ok(_) => placed.push((place, order.id)),
                    Err(refusal) => {
                        assert_eq!(
                            (refusal.code, refusal.evidence.places),
                            (Code::PlaceTaken, vec![PlaceNumber(place)])
                        );
                    }
                }
            }
            placed
        });
    }
    let sold: Vec<(u32, OrderId)> = buyers.join_all().await.into_iter().flatten().collect();
    assert_eq!(sold.len(), PLACES as usize);
    let owners: BTreeMap<u32, OrderId> = sold.into_iter().collect();
    assert_eq!(owners.len(), PLACES as usize, "each place to one buyer");
    let inventory = fixture.store().read_inventory(fixture.organization, fixture.event).await.unwrap();
    for effect in inventory.places {
        assert_eq!(
            (effect.state, effect.owner),
            (PlaceState::Claimed, owners.get(&effect.place.0).map(|order| order.uuid()))
        );
    }
}

/// A buyer who loses one place of the basket gets none (P1).
pub async fn refused_overlapping_baskets_claim_nothing<S: SalesTier>(sut: Sut<S>) {
    let fixture = std::sync::Arc::new(SalesFixture::open(sut).await);
    let mut buyers = tokio::task::JoinSet::new();
    for first in 0..60_u32 {
        let fixture = fixture.clone();
        buyers.spawn(async move {
            let order = fixture.new_order(&[(first * 7) % 60, (first * 7 + 1) % 60, (first * 7 + 2) % 60]);
            match fixture.store().place_order(fixture.organization, order.clone()).await.unwrap() {
                Ok(_) => Some(order),
                Err(refusal) => {
                    let wanted: Vec<_> = order.lines.iter().map(|line| line.place).collect();
                    assert_eq!(refusal.code, Code::PlaceTaken);
                    assert!(!refusal.evidence.places.is_empty());
                    assert!(refusal.evidence.places.iter().all(|place| wanted.contains(place)));
                    None
                }
            }
        });
    }
    let won: Vec<NewOrder> = buyers.join_all().await.into_iter().flatten().collect();
    let owners: BTreeMap<_, _> =
        won.iter().flat_map(|order| order.lines.iter().map(move |line| (line.place, order.id.uuid()))).collect();
    assert_eq!(owners.len(), won.len() * 3, "each place has one order");
    let inventory = fixture.store().read_inventory(fixture.organization, fixture.event).await.unwrap();
    for effect in inventory.places {
        assert_eq!(effect.owner, owners.get(&effect.place).copied(), "{effect:?}");
    }
    // All other places can be sold.
    let free: Vec<u32> = (0..60).filter(|place| !owners.contains_key(&PlaceNumber(*place))).collect();
    if !free.is_empty() {
        fixture.placed_order(&free).await;
    }
}
