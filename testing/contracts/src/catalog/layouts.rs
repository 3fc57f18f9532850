//! Cases of venues and layouts: versions count up within a venue, and seat flags change once per version.

use voelgoed_app::catalog::ports::Venue;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::page::PageRequest;
use voelgoed_domain::catalog::layout::{Layout, SeatFlag};
use voelgoed_domain::ids::EventId;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::{ALL, CatalogTier, take_listing_changes};
use crate::catalog_fixtures::{expect_created, new_layout, stored_event, stored_organization, stored_venue};
use crate::sut::Sut;

/// Venues are listed in pages, only to their organization.
pub async fn venues_are_listed_in_pages_to_their_own_organization<S: CatalogTier>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let mut expected = Vec::new();
    for name in ["Hall", "Park", "Ground"] {
        let venue = Venue { id: new_id(&*sut.environment), name: name.into(), address: String::new() };
        expect_created(sut.store.create_venue(a, venue.clone(), None).await.unwrap());
        expected.push(venue);
    }
    let first = sut.store.venues(a, PageRequest { after: None, limit: 2 }).await.unwrap();
    assert_eq!(first.items, expected[..2]);
    let rest = sut.store.venues(a, PageRequest { after: first.next, limit: 2 }).await.unwrap();
    assert_eq!((rest.items, rest.next), (expected[2..].to_vec(), None));
    assert!(sut.store.venues(b, ALL).await.unwrap().items.is_empty());
}

/// Versions count 1, 2, … per venue; the whole plan is read back; another organization's venue is `not_found`.
pub async fn layout_versions_count_up_within_their_venue<S: CatalogTier>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let [hall, park] = [stored_venue(&sut, a).await, stored_venue(&sut, a).await];
    let mut layouts = Vec::new();
    for (venue, version) in [(hall, 1), (hall, 2), (park, 1), (hall, 3)] {
        let layout = new_layout(&sut.environment, venue);
        assert_eq!(expect_created(sut.store.create_layout(a, layout.clone(), None).await.unwrap()), version);
        layouts.push((layout, version));
    }
    for (written, version) in &layouts {
        let read = sut.store.read_layout(a, written.id).await.unwrap().unwrap();
        assert_eq!(
            (read.id, read.venue, read.version, read.created_at),
            (written.id, written.venue, *version, written.created_at)
        );
        assert_eq!(read.layout, written.layout);
        assert!(sut.store.read_layout(b, written.id).await.unwrap().is_none());
    }
    let listed = sut.store.layouts(a, ALL).await.unwrap().items;
    assert_eq!(listed.iter().map(|layout| layout.version).collect::<Vec<_>>(), [1, 2, 1, 3]);
    assert!(listed.iter().all(|layout| layout.layout.areas.is_empty()), "lists have no plans");
    assert!(sut.store.layouts(b, ALL).await.unwrap().items.is_empty());
    let foreign = new_layout(&sut.environment, hall);
    let refused = sut.store.create_layout(b, foreign, None).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
}

/// Versions are consecutive.
pub async fn concurrent_layouts_of_a_venue_get_consecutive_versions<S: CatalogTier>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let venue = stored_venue(&sut, organization).await;
    let writers = (0..8).map(|_| {
        let (store, layout) = (sut.store.clone(), new_layout(&sut.environment, venue));
        tokio::spawn(async move { expect_created(store.create_layout(organization, layout, None).await.unwrap()) })
    });
    let mut versions = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        versions.push(writer.await.unwrap());
    }
    versions.sort_unstable();
    assert_eq!(versions, (1..=8).collect::<Vec<_>>());
}

/// Listings read the new flags, every event of the layout gets an outbox event; an outdated version or another organization's layout is refused.
pub async fn seat_flags_of_a_layout_change_once_per_version<S: CatalogTier>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let event = stored_event(&sut, a).await.id;
    let layout = sut.store.read_listing(a, event).await.unwrap().unwrap().event.layout;
    let held = sut.store.read_layout(a, layout).await.unwrap().unwrap().layout;
    take_listing_changes(&sut).await;
    let now = sut.environment.now();
    let changed = held.with_flags(&[PlaceNumber(0)], vec![SeatFlag::Accessible]).unwrap();
    assert_eq!(sut.store.set_layout_flags(b, layout, &changed, now).await.unwrap(), None);
    assert_eq!(sut.store.set_layout_flags(a, layout, &changed, now).await.unwrap(), Some(vec![event]));
    assert_eq!(
        sut.store.set_layout_flags(a, layout, &changed, now).await.unwrap(),
        None,
        "the flags version is outdated"
    );
    let changed_events: Vec<EventId> = take_listing_changes(&sut).await.into_iter().map(|(event, _)| event).collect();
    assert_eq!(changed_events, [event]);
    // The earlier plan, still in use, stays unchanged.
    let listing = sut.store.read_listing(a, event).await.unwrap().unwrap();
    let seat = |layout: &Layout| layout.seat(PlaceNumber(0)).unwrap().seat.clone();
    assert_eq!(seat(&listing.layout).flags, [SeatFlag::Accessible]);
    assert_eq!((listing.layout.flags_version, listing.layout.place_count()), (1, held.place_count()));
    assert_eq!(seat(&held).label, seat(&listing.layout).label);
    assert_eq!(*sut.store.read_layout(a, layout).await.unwrap().unwrap().layout, *listing.layout);
}
