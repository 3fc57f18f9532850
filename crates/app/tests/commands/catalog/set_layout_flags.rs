//! Sets flags of seats in all events of the layout; repeats after a concurrent change; writes nothing if no flag changes.

use std::sync::Arc;

use voelgoed_app::catalog::set_layout_flags::SetLayoutFlags;
use voelgoed_domain::catalog::layout::SeatFlag;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_testkit::platform::TestPlatform;

use super::racing_catalog::RacingCatalog;
use crate::support::{code, refusal};

/// How often a change is tried.
const ATTEMPTS_MAX: usize = 5;

async fn command(shop: &TestPlatform, places: &[u32], labels: &[&str], flags: &[SeatFlag]) -> SetLayoutFlags {
    SetLayoutFlags {
        layout: shop.slices.catalog.listings.listing(shop.scope).await.unwrap().event.layout,
        places: places.iter().copied().map(PlaceNumber).collect(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        flags: flags.to_vec(),
    }
}

async fn flags(shop: &TestPlatform, place: u32) -> Vec<SeatFlag> {
    let layout = shop.slices.catalog.listings.listing(shop.scope).await.unwrap().layout.clone();
    layout.seat(PlaceNumber(place)).unwrap().seat.flags.clone()
}

#[tokio::test]
async fn new_flags_are_in_the_listing_at_once() {
    let shop = TestPlatform::open().await;
    let label = shop.slices.catalog.listings.listing(shop.scope).await.unwrap().layout.label(PlaceNumber(3)).unwrap();
    let wanted = command(&shop, &[0], &[&label], &[SeatFlag::RestrictedView]).await;
    let stored = shop.slices.catalog.set_layout_flags(shop.scope.organization, wanted).await.unwrap();
    assert_eq!(stored.layout.flags_version, 1);
    for place in [0, 3] {
        assert_eq!(flags(&shop, place).await, [SeatFlag::RestrictedView]);
    }
    assert_eq!(flags(&shop, 1).await, [SeatFlag::Accessible], "others keep theirs");
}

#[tokio::test]
async fn change_to_equal_values_is_not_written() {
    let mut shop = TestPlatform::open().await;
    let racing = RacingCatalog::new(shop.slices.catalog.store.clone(), 0);
    Arc::make_mut(&mut shop.slices.catalog).store = racing.clone();
    let wanted = command(&shop, &[1], &[], &[SeatFlag::Accessible]).await;
    let stored = shop.slices.catalog.set_layout_flags(shop.scope.organization, wanted).await.unwrap();
    assert_eq!((stored.layout.flags_version, racing.writes()), (0, 0));
    let wanted = command(&shop, &[1, 0], &[], &[SeatFlag::Accessible]).await;
    let stored = shop.slices.catalog.set_layout_flags(shop.scope.organization, wanted).await.unwrap();
    assert_eq!((stored.layout.flags_version, racing.writes()), (1, 1), "one of two seats differs");
}

#[tokio::test]
async fn change_that_others_overtake_is_tried_5_times() {
    for (lost, changed) in [(1, true), (ATTEMPTS_MAX - 1, true), (ATTEMPTS_MAX, false)] {
        let mut shop = TestPlatform::open().await;
        let racing = RacingCatalog::new(shop.slices.catalog.store.clone(), lost);
        Arc::make_mut(&mut shop.slices.catalog).store = racing.clone();
        let wanted = command(&shop, &[0], &[], &[SeatFlag::Companion]).await;
        let stored = shop.slices.catalog.set_layout_flags(shop.scope.organization, wanted).await;
        match changed {
            true => drop(stored.unwrap()),
            false => assert_eq!(code(stored.map(drop)), Code::TryAgain),
        }
        assert_eq!(racing.writes(), ATTEMPTS_MAX.min(lost + 1));
        assert_eq!(flags(&shop, 0).await.is_empty(), !changed);
    }
}

#[tokio::test]
async fn unknown_label_or_layout_of_another_organization_is_refused() {
    let shop = TestPlatform::open().await;
    let wanted = command(&shop, &[], &["Row Z Seat 99"], &[SeatFlag::Companion]).await;
    let refused = refusal(shop.slices.catalog.set_layout_flags(shop.scope.organization, wanted).await.map(drop));
    assert_eq!(refused.code, Code::InvalidRequest);
    let wanted = command(&shop, &[0], &[], &[SeatFlag::Companion]).await;
    let stranger = voelgoed_app::environment::new_id(&*shop.environment);
    assert_eq!(code(shop.slices.catalog.set_layout_flags(stranger, wanted).await.map(drop)), Code::NotFound);
}
