//! Chooses best-available seats on a view that may be old: warm refuses what is taken, and the choice is repeated on a newer view.

use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_app::catalog::listings::Listings;
use voelgoed_app::catalog::ports::Venue;
use voelgoed_app::catalog::set_layout_flags::SetLayoutFlags;
use voelgoed_app::error::CommandResult;
use voelgoed_app::ticketing::choose_places::{HoldItem, ITEMS_PER_REQUEST_MAX};
use voelgoed_app::ticketing::hold_view::HoldView;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::catalog::layout::SeatFlag;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::best_available::SeatingPlans;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::time::Timestamp;
use voelgoed_testkit::platform::{ScriptedSeatView, TestPlatform};

use crate::support::{
    code, field_area, hold, hold_command, limit, places, places_of_area, refusal, seat, seated_area, session,
};

/// How often seats are chosen for one request.
const CHOICES_MAX: usize = 5;

/// A platform with one row of so many seats.
async fn with_row(seats: u32, views: &[&[u32]]) -> (TestPlatform, Arc<ScriptedSeatView>) {
    let view = Arc::new(ScriptedSeatView::of_taken(views));
    let areas = vec![seated_area(1, &[seats]), field_area(2, 10)];
    (TestPlatform::builder().seat_view(view.clone()).areas(areas).open().await, view)
}

async fn best_available(shop: &TestPlatform, items: Vec<HoldItem>) -> CommandResult<HoldView> {
    let command = hold_command(shop, session(shop), items);
    shop.slices.ticketing.hold(voelgoed_app::ticketing::hold::HoldCommand { best_available: true, ..command }).await
}

async fn best(shop: &TestPlatform, quantity: u32) -> CommandResult<HoldView> {
    best_available(shop, vec![places_of_area(shop, 0, quantity).await]).await
}

/// Seats of the first area of which so many are wheelchair spaces and companion seats.
async fn special(shop: &TestPlatform, quantity: u32, accessible: u32, companions: u32) -> CommandResult<HoldView> {
    let HoldItem::Area { area, ticket_type, .. } = places_of_area(shop, 0, quantity).await else { panic!() };
    best_available(shop, vec![HoldItem::Area { area, quantity, ticket_type, accessible, companions }]).await
}

#[tokio::test]
async fn chosen_seats_are_adjacent_and_free_in_the_view() {
    let (shop, view) = with_row(8, &[&[2]]).await;
    let chosen = places(&best(&shop, 3).await.unwrap());
    assert_eq!(chosen.len(), 3);
    assert!(chosen.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{chosen:?}");
    assert!(!chosen.contains(&2), "{chosen:?} has a seat that the view shows as taken");
    assert_eq!(view.newer_requests(), 0);
}

#[tokio::test]
async fn seats_that_warm_refuses_are_chosen_again_on_a_newer_view() {
    let (shop, view) = with_row(4, &[&[], &[1, 2]]).await;
    hold(&shop, vec![seat(&shop, 1), seat(&shop, 2)]).await.unwrap();
    let held = best(&shop, 2).await.unwrap();
    assert_eq!(places(&held), [0, 3]);
    assert_eq!(view.newer_requests(), 1);
}

#[tokio::test]
async fn fifth_choice_of_seats_is_still_granted() {
    let mut views: Vec<&[u32]> = vec![&[]; CHOICES_MAX - 1];
    views.push(&[1, 2]);
    let (shop, view) = with_row(4, &views).await;
    hold(&shop, vec![seat(&shop, 1), seat(&shop, 2)]).await.unwrap();
    assert_eq!(places(&best(&shop, 2).await.unwrap()), [0, 3]);
    assert_eq!(view.newer_requests(), CHOICES_MAX - 1);
}

#[tokio::test]
async fn last_conflicting_choice_refuses_the_hold_and_names_no_places() {
    let mut views: Vec<&[u32]> = vec![&[]; CHOICES_MAX];
    views.push(&[1, 2]);
    let (shop, view) = with_row(4, &views).await;
    hold(&shop, vec![seat(&shop, 1), seat(&shop, 2)]).await.unwrap();
    let refused = refusal(best(&shop, 2).await);
    assert_eq!((refused.code, refused.evidence.places.as_slice()), (Code::PlaceTaken, &[][..]));
    assert_eq!(view.newer_requests(), CHOICES_MAX - 1);
}

#[tokio::test]
async fn named_seat_that_the_view_shows_as_taken_is_refused_without_warm() {
    let (shop, _) = with_row(4, &[&[0, 2]]).await;
    let refused = refusal(hold(&shop, vec![seat(&shop, 0), seat(&shop, 1), seat(&shop, 2)]).await);
    assert_eq!(refused.code, Code::PlaceTaken);
    assert_eq!(refused.evidence.places, [PlaceNumber(0), PlaceNumber(2)]);
    assert!(shop.slices.ticketing.inventory.loaded_events().await.unwrap().is_empty(), "warm was not called");
    assert_eq!(places(&hold(&shop, vec![seat(&shop, 1), seat(&shop, 3)]).await.unwrap()), [1, 3]);
}

#[tokio::test]
async fn repeatable_request_for_a_seat_that_the_view_shows_as_taken_is_decided_by_warm() {
    let (shop, _) = with_row(4, &[&[0]]).await;
    let held = shop.try_hold_seat(0, session(&shop), Some("once")).await;
    assert!(held.is_ok(), "its own first try may have taken the seat: {held:?}");
}

#[tokio::test]
async fn more_seats_than_are_free_are_sold_out() {
    let (shop, view) = with_row(4, &[&[0]]).await;
    assert_eq!(code(best(&shop, 4).await), Code::SoldOut);
    assert_eq!(view.newer_requests(), 0, "no choice, so no newer view");
    assert_eq!(places(&best(&shop, 3).await.unwrap()), [1, 2, 3]);
}

#[tokio::test]
async fn two_items_of_one_request_get_different_seats() {
    let (shop, _) = with_row(4, &[&[]]).await;
    let items = vec![places_of_area(&shop, 0, 2).await, places_of_area(&shop, 0, 2).await];
    let mut held = places(&best_available(&shop, items).await.unwrap());
    held.sort_unstable();
    assert_eq!(held, [0, 1, 2, 3]);
    let (shop, _) = with_row(4, &[&[]]).await;
    let named_and_chosen = vec![seat(&shop, 1), places_of_area(&shop, 0, 3).await];
    assert_eq!(places(&best_available(&shop, named_and_chosen).await.unwrap()), [1, 0, 2, 3]);
}

/// The row of the default plan: an ordinary seat, a wheelchair space, a companion seat, an ordinary seat.
#[tokio::test]
async fn wheelchair_spaces_are_kept_for_those_who_ask_for_one() {
    let shop = TestPlatform::open().await;
    assert_eq!(code(best(&shop, 3).await), Code::SoldOut);
    assert_eq!(places(&best(&shop, 2).await.unwrap()), [0, 3]);
    assert_eq!(places(&special(&shop, 2, 1, 1).await.unwrap()), [1, 2]);
    let shop = TestPlatform::open().await;
    let refused = refusal(special(&shop, 2, 1, 2).await);
    assert_eq!((refused.code, refused.evidence.field.as_deref()), (Code::InvalidRequest, Some("accessible")));
}

#[tokio::test]
async fn named_wheelchair_space_is_refused_to_a_buyer_who_did_not_ask_for_one() {
    let shop = TestPlatform::open().await;
    let ordinary =
        |place| HoldItem::Place { place: PlaceNumber(place), ticket_type: shop.ticket_type, accessible: false };
    let refused = refusal(hold(&shop, vec![ordinary(0), ordinary(1)]).await);
    assert_eq!((refused.code, refused.evidence.places), (Code::AccessiblePlace, vec![PlaceNumber(1)]));
    assert_eq!(refused.evidence.field.as_deref(), Some("items[1].accessible"));
    assert_eq!(places(&hold(&shop, vec![ordinary(0), ordinary(2)]).await.unwrap()), [0, 2]);
}

#[tokio::test]
async fn request_has_1_to_50_items() {
    let shop = TestPlatform::open().await;
    let items = |count: usize| vec![seat(&shop, 0); count];
    let field = |items| async { refusal(hold(&shop, items).await).evidence.field.clone() };
    assert_eq!(field(items(0)).await.as_deref(), Some("items"));
    assert_eq!(field(items(ITEMS_PER_REQUEST_MAX + 1)).await.as_deref(), Some("items"));
    let most = hold(&shop, items(ITEMS_PER_REQUEST_MAX)).await;
    assert_eq!(limit(most), (Code::LimitReached, "places_per_hold", 7), "refused for its places, not for its items");
}

#[tokio::test]
async fn wrong_item_is_refused_by_its_field() {
    let (shop, _) = with_row(8, &[&[]]).await;
    let item = async |quantity: u32| places_of_area(&shop, 0, quantity).await;
    let HoldItem::Area { area, .. } = item(1).await else { panic!() };
    let unknown_type = HoldItem::Area {
        area,
        quantity: 1,
        ticket_type: voelgoed_app::environment::new_id(&*shop.environment),
        accessible: 0,
        companions: 0,
    };
    let unknown_area = HoldItem::Area {
        area: voelgoed_app::environment::new_id(&*shop.environment),
        quantity: 1,
        ticket_type: shop.ticket_type,
        accessible: 0,
        companions: 0,
    };
    for (name, items, field) in [
        ("no seats", vec![item(1).await, item(0).await], "items[1].quantity"),
        ("no such ticket type", vec![unknown_type], "items[0].ticket_type"),
        ("no such area", vec![unknown_area], "items[0].area"),
        ("a numbered place of the field", vec![seat(&shop, 8)], "items[0].place"),
        ("no such place", vec![seat(&shop, 18)], "items[0].place"),
    ] {
        let refused = refusal(best_available(&shop, items).await);
        assert_eq!((refused.code, refused.evidence.field.as_deref()), (Code::InvalidRequest, Some(field)), "{name}");
    }
    let unnamed = refusal(hold(&shop, vec![item(1).await]).await);
    assert_eq!(unnamed.evidence.field.as_deref(), Some("items[0].area"), "{unnamed}");
    assert_eq!(limit(best(&shop, 8).await), (Code::LimitReached, "places_per_hold", 7));
}

/// Serves the seating that an event had before a change of its flags.
struct StaleSeating {
    listings: Arc<dyn Listings>,
    seating: Arc<SeatingPlans>,
}

#[async_trait]
impl Listings for StaleSeating {
    async fn locate(&self, event: EventId) -> CommandResult<EventScope> {
        self.listings.locate(event).await
    }
    async fn listing(&self, scope: EventScope) -> CommandResult<Arc<Listing>> {
        self.listings.listing(scope).await
    }
    async fn seating(&self, _scope: EventScope) -> CommandResult<Arc<SeatingPlans>> {
        Ok(self.seating.clone())
    }
    async fn venue(&self, scope: EventScope) -> CommandResult<Arc<Venue>> {
        self.listings.venue(scope).await
    }
    fn read_at(&self, scope: EventScope) -> Option<Timestamp> {
        self.listings.read_at(scope)
    }
    fn revalidate(&self, organization: OrganizationId, event: EventId) {
        self.listings.revalidate(organization, event);
    }
    fn revalidate_all(&self) {
        self.listings.revalidate_all();
    }
}

#[tokio::test]
async fn choice_on_seating_of_before_a_change_of_flags_takes_no_wheelchair_space() {
    let (mut shop, _) = with_row(2, &[&[]]).await;
    let listings = shop.slices.catalog.listings.clone();
    let (seating, listing) = (listings.seating(shop.scope).await.unwrap(), listings.listing(shop.scope).await.unwrap());
    let command = SetLayoutFlags {
        layout: listing.event.layout,
        places: vec![PlaceNumber(0)],
        labels: vec![],
        flags: vec![SeatFlag::Accessible],
    };
    shop.slices.catalog.set_layout_flags(shop.scope.organization, command).await.unwrap();
    Arc::make_mut(&mut shop.slices.ticketing).listings = Arc::new(StaleSeating { listings: listings.clone(), seating });
    assert_eq!(code(best(&shop, 2).await), Code::TryAgain);
    Arc::make_mut(&mut shop.slices.ticketing).listings = listings;
    assert_eq!(code(best(&shop, 2).await), Code::SoldOut);
}
