//! Creates organizations, venues, layouts, events and ticket types for the cases of several suites.

use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::accounts::ports::{AccountStore, Organization};
use voelgoed_app::catalog::ports::{CatalogStore, StoredLayout, Venue};
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::idempotency::Created;
use voelgoed_domain::catalog::admission_window::AdmissionTimes;
use voelgoed_domain::catalog::event::{Event, EventLimits, EventState, FeePolicy, SaleWindow, TaxPolicy};
use voelgoed_domain::catalog::layout::{AreaDraft, Layout, RowDraft, Seat, SeatFlag};
use voelgoed_domain::catalog::ticket_type::{PriceOverride, TicketType, TicketTypeLimits};
use voelgoed_domain::ids::{EventId, LayoutId, OrganizationId, VenueId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::entry::EntryRule;

use crate::sut::{Sut, TestEnvironment};

/// The value of a creation that was not a replay.
pub fn expect_created<T>(created: Result<Created<T>, Refusal>) -> T {
    match created.unwrap() {
        Created::Fresh(value) => value,
        Created::Replayed(_) => panic!("a replay"),
    }
}

/// An organization that is not yet stored.
pub fn new_organization(environment: &TestEnvironment) -> Organization {
    let id: OrganizationId = new_id(environment);
    Organization { id, name: "Sparrow Events".into(), slug: id.to_string(), created_at: environment.now() }
}

/// An organization in the store.
pub async fn stored_organization<S: AccountStore>(sut: &Sut<S>) -> OrganizationId {
    let organization = new_organization(&sut.environment);
    sut.store.create_organization(organization.clone(), None, None).await.unwrap().unwrap();
    organization.id
}

/// A layout of one row of four seats and a general-admission area of ten places.
pub fn sample_layout(environment: &TestEnvironment) -> Layout {
    let seat = |label: &str, x, flags| Seat { label: label.into(), x, y: 0.1, category: "stalls".into(), flags };
    let seats = vec![
        seat("1", 0.25, vec![]),
        seat("2", 1.3, vec![SeatFlag::Accessible]),
        seat("3", 2.0, vec![SeatFlag::Companion]),
        seat("4", 3.7, vec![]),
    ];
    let stalls = AreaDraft::seated(new_id(environment), "Stalls", vec![RowDraft::new("A", seats)]);
    let field = AreaDraft::general(new_id(environment), "Field", 10, "standing");
    Layout::build(vec![stalls, field]).unwrap()
}

/// A venue in the store.
pub async fn stored_venue<S: CatalogStore>(sut: &Sut<S>, organization: OrganizationId) -> VenueId {
    let venue = Venue { id: new_id(&*sut.environment), name: "Town Hall".into(), address: "1 Main Street".into() };
    expect_created(sut.store.create_venue(organization, venue.clone(), None).await.unwrap());
    venue.id
}

/// A layout of a venue that is not yet stored.
pub fn new_layout(environment: &TestEnvironment, venue: VenueId) -> StoredLayout {
    let layout = Arc::new(sample_layout(environment));
    StoredLayout { id: new_id(environment), venue, version: 0, layout, created_at: environment.now() }
}

/// A layout in the store, of a venue of its own.
pub async fn stored_layout<S: CatalogStore>(sut: &Sut<S>, organization: OrganizationId) -> LayoutId {
    let layout = new_layout(&sut.environment, stored_venue(sut, organization).await);
    expect_created(sut.store.create_layout(organization, layout.clone(), None).await.unwrap());
    layout.id
}

/// An event that is not yet stored, with every field other than its default.
pub fn new_event(environment: &TestEnvironment, organization: OrganizationId, layout: LayoutId) -> Event {
    let now = environment.now();
    Event {
        id: new_id(environment),
        organization,
        name: "Evensong".into(),
        layout,
        starts_at: now.plus(Duration::from_secs(86_400)),
        admission: AdmissionTimes {
            doors_at: Some(environment.now().plus(Duration::from_secs(3_000))),
            ends_at: Some(environment.now().plus(Duration::from_secs(90_000))),
            admits_from: Some(environment.now().minus(Duration::from_secs(100_000))),
            admits_until: Some(environment.now().plus(Duration::from_secs(1_000_000))),
        },
        timezone: "Africa/Johannesburg".into(),
        sale: SaleWindow { opens_at: now, closes_at: now.plus(Duration::from_secs(3_600)) },
        currency: Currency::ZAR,
        state: EventState::Draft,
        fees: FeePolicy { per_ticket: 250, basis_points: 125 },
        tax: TaxPolicy { basis_points: 1_500, included: true },
        limits: EventLimits { places_per_hold: 7, places_per_session: 9 },
        entry_rule: EntryRule::Reentry,
    }
}

/// A draft event in the store, with venue and layout of its own.
pub async fn stored_event<S: CatalogStore>(sut: &Sut<S>, organization: OrganizationId) -> Event {
    let event = new_event(&sut.environment, organization, stored_layout(sut, organization).await);
    expect_created(sut.store.create_event(organization, event.clone(), sut.environment.now(), None).await.unwrap());
    event
}

/// A ticket type that is not yet stored.
pub fn new_ticket_type(environment: &TestEnvironment, event: EventId) -> TicketType {
    TicketType {
        id: new_id(environment),
        event,
        name: "Adult".into(),
        price: Money::new(45_000, Currency::ZAR),
        areas: vec![new_id(environment)],
        categories: vec!["stalls".into()],
        prices: vec![PriceOverride { area: None, category: Some("stalls".into()), amount: 60_000 }],
        limits: TicketTypeLimits { min_per_hold: 2, max_per_hold: 6, max_per_buyer: Some(30) },
        admission: AdmissionTimes {
            admits_from: Some(environment.now().minus(Duration::from_secs(200_000))),
            ..AdmissionTimes::default()
        },
    }
}
