//! Cases of event lists: drafts are private, and the programme separates upcoming from past events.

use voelgoed_app::catalog::ports::ProgrammeRequest;
use voelgoed_app::environment::Environment;
use voelgoed_app::page::PageRequest;
use voelgoed_domain::catalog::admission_window::AdmissionTimes;
use voelgoed_domain::catalog::event::{Event, EventChange, EventState};
use voelgoed_domain::catalog::ticket_type::TicketType;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use super::{ALL, CatalogTier, SECOND};
use crate::catalog_fixtures::{
    expect_created, new_event, new_ticket_type, stored_event, stored_layout, stored_organization,
};
use crate::sut::Sut;

/// A list without an organization has published events only.
pub async fn drafts_are_listed_to_their_own_organization_only<S: CatalogTier>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let mut ids = Vec::new();
    for organization in [a, a, b, b] {
        ids.push(stored_event(&sut, organization).await.id);
    }
    let now = sut.environment.now();
    for (organization, event) in [(a, ids[1]), (b, ids[2])] {
        let published =
            sut.store.transition_event(organization, event, &[EventState::Draft], EventState::Published, now).await;
        published.unwrap().unwrap();
    }
    let list = |organization, published_only| {
        let store = &sut.store;
        async move {
            let items = store.events(organization, published_only, ALL).await.unwrap().items;
            assert!(items.iter().all(|item| item.venue == "Town Hall"));
            items.into_iter().map(|item| item.event.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(list(Some(a), false).await, ids[..2]);
    assert_eq!(list(Some(a), true).await, ids[1..2]);
    assert_eq!(list(None, true).await, ids[1..3]);
    assert_eq!(list(None, false).await, ids[1..3], "only published ones without an organization");
    let first = sut.store.events(None, true, PageRequest { after: None, limit: 1 }).await.unwrap();
    assert_eq!(first.next, Some(ids[1].uuid()));
    let rest = sut.store.events(None, true, PageRequest { after: first.next, limit: 1 }).await.unwrap();
    assert_eq!((rest.items[0].event.id, rest.next), (ids[2], None));
}

/// Hours from now: start, end, last admission, and the last admission of a ticket type on sale. `UPCOMING` and `PAST` list the expected indices.
type ProgrammeTimes = (i64, Option<i64>, Option<i64>, Option<i64>);

const PROGRAMME: [ProgrammeTimes; 13] = [
    (30, None, None, None),
    (-20, None, None, None),
    (10, None, None, None),
    (10, None, None, None),
    (-5, None, None, None),
    (-6, None, None, None),
    (-1_440, Some(1_440), None, None),
    (-240, None, Some(2_400), None),
    (-3, Some(-1), None, None),
    (-3, Some(2), Some(-1), None),
    (-20, None, None, Some(100)),
    (-3, None, None, Some(-1)),
    // This event stays a draft.
    (40, None, None, None),
];

const UPCOMING: [usize; 7] = [6, 7, 10, 4, 2, 3, 0];

const PAST: [usize; 5] = [11, 9, 8, 5, 1];

async fn stored_programme<S: CatalogTier>(sut: &Sut<S>) -> Vec<(OrganizationId, EventId)> {
    let (store, now) = (&sut.store, sut.environment.now());
    let organizations = [stored_organization(sut).await, stored_organization(sut).await];
    let at = |hours: i64| Timestamp::from_micros(now.micros() + hours * 3_600_000_000);
    let mut stored = Vec::new();
    for (number, (start, end, last, of_ticket_type)) in PROGRAMME.into_iter().enumerate() {
        let organization = organizations[number % 2];
        let layout = stored_layout(sut, organization).await;
        let admission =
            AdmissionTimes { ends_at: end.map(at), admits_until: last.map(at), ..AdmissionTimes::default() };
        let event = Event { starts_at: at(start), admission, ..new_event(&sut.environment, organization, layout) };
        expect_created(store.create_event(organization, event.clone(), now, None).await.unwrap());
        if let Some(until) = of_ticket_type {
            let admission = AdmissionTimes { admits_until: Some(at(until)), ..AdmissionTimes::default() };
            let ticket_type = TicketType { admission, ..new_ticket_type(&sut.environment, event.id) };
            expect_created(store.create_ticket_type(organization, ticket_type, now, None).await.unwrap());
        }
        if number + 1 < PROGRAMME.len() {
            let (from, to) = (&[EventState::Draft], EventState::Published);
            store.transition_event(organization, event.id, from, to, now).await.unwrap().unwrap();
        }
        stored.push((organization, event.id));
    }
    stored
}

/// Pages of any size give the same two lists over all organizations, also with two events at the same time; drafts are in neither list. Running events
/// come first, and an event is past from its end or last admission on.
pub async fn programme_lists_upcoming_and_past_events_separately<S: CatalogTier>(sut: Sut<S>) {
    let (store, now) = (&sut.store, sut.environment.now());
    let events = stored_programme(&sut).await;
    let list = async |past, limit| {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.programme(ProgrammeRequest { past, now, after, limit }).await.unwrap();
            found.extend(page.items.iter().map(|item| item.event.id));
            after = page.items.last().map(|item| (item.event.starts_at, item.event.id));
            if page.next.is_none() {
                return found;
            }
        }
    };
    let ids = |numbers: &[usize]| numbers.iter().map(|number| events[*number].1).collect::<Vec<_>>();
    for limit in [1, 2, 3, 4, 5, 50] {
        assert_eq!(list(false, limit).await, ids(&UPCOMING), "upcoming, pages of {limit}");
        assert_eq!(list(true, limit).await, ids(&PAST), "past, pages of {limit}");
    }
    // A later end makes an event upcoming again, and without its ticket type another one is past.
    let later = EventChange { ends_at: Some(Some(now.plus(SECOND))), ..EventChange::default() };
    store.change_event(events[1].0, events[1].1, later, now).await.unwrap().unwrap();
    let (organization, event) = events[10];
    let ticket_type = store.read_listing(organization, event).await.unwrap().unwrap().ticket_types[0].id;
    assert!(store.retire_ticket_type(organization, ticket_type, now).await.unwrap());
    assert_eq!(list(false, 2).await, ids(&[6, 7, 1, 4, 2, 3, 0]));
    assert_eq!(list(true, 2).await, ids(&[11, 9, 8, 5, 10]));
}
