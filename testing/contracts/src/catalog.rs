//! What `CatalogStore` promises: what was written is read, versions are counted, nothing of another organization is used or seen (P7), and every
//! change of a listing is a fact in the same commit (P8).

use std::time::Duration;

use voelgoed_app::accounts::ports::AccountStore;
use voelgoed_app::catalog::ports::{CatalogStore, ProgrammeRequest, Venue};
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::idempotency::Created;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_app::page::PageRequest;
use voelgoed_domain::catalog::admission::AdmissionTimes;
use voelgoed_domain::catalog::event::{Event, EventChange, EventState};
use voelgoed_domain::catalog::layout::{Layout, SeatFlag};
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRule};
use voelgoed_domain::catalog::ticket_type::TicketType;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_domain::time::Timestamp;

use crate::catalogue::{a_layout, a_ticket_type, an_event, event, layout, made, organization, venue};
use crate::idempotency::a_record;
use crate::subject::{Subject, TestEnvironment};

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! catalog_store_suite {
    ($open:expr) => {
        $crate::cases! { catalog, $open;
            venues_are_their_own_organizations
            layouts_are_numbered_within_their_venue
            layouts_numbered_at_once_get_different_numbers
            flags_of_a_stored_layout_are_set_once_per_version
            an_event_pins_a_layout_of_its_own_organization
            a_listing_is_what_was_written
            a_listing_is_its_own_organizations
            ticket_types_go_off_sale
            a_code_is_unique_within_its_event
            an_event_moves_from_expected_states_only
            a_changed_event_takes_its_windows_along
            a_draft_is_deleted_with_all_that_was_made_for_it
            lists_show_drafts_to_their_organization_only
            the_programme_shows_the_next_event_first_and_past_ones_apart
            every_change_of_a_listing_is_a_fact
            a_repeat_changes_nothing
        }
    };
}

const SECOND: Duration = Duration::from_secs(1);
const ALL: PageRequest = PageRequest { after: None, most: 200 };

/// Another date, and what is not given keeps its distance, of ticket types too, on sale or not; a contradiction changes nothing.
pub async fn a_changed_event_takes_its_windows_along<S: Catalog>(subject: Subject<S>) {
    let (store, environment) = (&subject.store, &subject.environment);
    let organization = organization(&subject).await;
    let before = event(&subject, organization).await;
    let now = environment.now();
    let (kept, retired) = (a_ticket_type(environment, before.id), a_ticket_type(environment, before.id));
    for ticket_type in [&kept, &retired] {
        made(store.create_ticket_type(organization, ticket_type.clone(), now, None).await.unwrap());
    }
    assert!(store.retire_ticket_type(organization, retired.id, now).await.unwrap());
    let change = async |change| store.change_event(organization, before.id, change, now).await.unwrap();
    let listing = async || store.read_listing(organization, before.id).await.unwrap().unwrap();
    assert_eq!(listing().await.retired, [(retired.id, retired.admission)]);
    let week = 7 * 86_400 * 1_000_000;
    let starts_at = before.starts_at.plus(SECOND * 7 * 86_400);
    let moved = change(EventChange { starts_at: Some(starts_at), ..EventChange::default() }).await.unwrap();
    assert_eq!(moved, Event { starts_at, admission: before.admission.moved(week), ..before.clone() });
    let after = listing().await;
    assert_eq!((&after.event, after.ticket_types[0].admission), (&moved, kept.admission.moved(week)));
    assert_eq!(after.retired, [(retired.id, retired.admission.moved(week))]);
    let wrong = EventChange { ends_at: Some(Some(starts_at)), name: Some("Other".into()), ..EventChange::default() };
    assert_eq!(change(wrong).await.unwrap_err().evidence.field.as_deref(), Some("ends_at"));
    assert_eq!(listing().await, after);
    // None takes the default again.
    let bare = EventChange { doors_at: Some(None), admits_from: Some(None), ..EventChange::default() };
    assert_eq!(change(bare).await.unwrap().admission_window().from, starts_at.minus(SECOND * 86_400));
    let stranger = store.change_event(fresh(&**environment), before.id, EventChange::default(), now).await.unwrap();
    assert_eq!(stranger.unwrap_err().code, Code::NotFound);
}

/// Once, by its own organization, and never once it was published; another event keeps what it has.
pub async fn a_draft_is_deleted_with_all_that_was_made_for_it<S: Catalog>(subject: Subject<S>) {
    let (store, environment) = (&subject.store, &subject.environment);
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let [draft, kept] = [event(&subject, a).await, event(&subject, a).await];
    let now = environment.now();
    for event in [&draft, &kept] {
        made(store.create_ticket_type(a, a_ticket_type(environment, event.id), now, None).await.unwrap());
        let rule = a_rule(environment, event.id, Some("CODE"), PriceEffect::AmountOff(1));
        made(store.create_price_rule(a, rule, now, None).await.unwrap());
    }
    store.move_event(a, kept.id, &[EventState::Draft], EventState::Published, now).await.unwrap().unwrap();
    let untouched = store.read_listing(a, kept.id).await.unwrap();
    changes(&subject).await;
    let delete = async |organization, event| store.delete_event(organization, event, now).await.unwrap();
    assert_eq!(delete(b, draft.id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(delete(a, kept.id).await.unwrap_err().code, Code::WrongState);
    assert!(changes(&subject).await.is_empty());
    delete(a, draft.id).await.unwrap();
    assert_eq!(changes(&subject).await.iter().map(|(event, _)| *event).collect::<Vec<_>>(), [draft.id]);
    assert!(store.read_listing(a, draft.id).await.unwrap().is_none());
    assert_eq!(delete(a, draft.id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(store.read_listing(a, kept.id).await.unwrap(), untouched);
}

/// What the cases need of an adapter.
pub trait Catalog: AccountStore + CatalogStore + OutboxStore {}
impl<S: AccountStore + CatalogStore + OutboxStore> Catalog for S {}

fn a_rule(environment: &TestEnvironment, event: EventId, code: Option<&str>, effect: PriceEffect) -> PriceRule {
    PriceRule {
        id: fresh(environment),
        event,
        code: code.map(str::to_owned),
        ticket_types: vec![fresh(environment)],
        effect,
        starts_at: Some(environment.now()),
        ends_at: None,
        uses_max: None,
        uses_per_buyer_max: None,
    }
}

/// Takes and acknowledges all facts there are: the events whose listing changed, with the version.
async fn changes<S: Catalog>(subject: &Subject<S>) -> Vec<(EventId, u32)> {
    let rows = subject.store.take(500, subject.environment.now(), SECOND).await.unwrap().rows;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    subject.store.delivered(&ids, subject.environment.now()).await.unwrap();
    let change = |row: voelgoed_app::outbox::event::OutboxRow| match row.fact {
        OutboxEvent::ListingChanged { event } => (event, row.version),
        other => panic!("{other:?}"),
    };
    rows.into_iter().map(change).collect()
}

/// Pages, and nothing of others.
pub async fn venues_are_their_own_organizations<S: Catalog>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let mut expected = Vec::new();
    for name in ["Hall", "Park", "Ground"] {
        let venue = Venue { id: fresh(&*subject.environment), name: name.into(), address: String::new() };
        made(subject.store.create_venue(a, venue.clone(), None).await.unwrap());
        expected.push(venue);
    }
    let first = subject.store.venues(a, PageRequest { after: None, most: 2 }).await.unwrap();
    assert_eq!(first.items, expected[..2]);
    let rest = subject.store.venues(a, PageRequest { after: first.next, most: 2 }).await.unwrap();
    assert_eq!((rest.items, rest.next), (expected[2..].to_vec(), None));
    assert!(subject.store.venues(b, ALL).await.unwrap().items.is_empty());
}

/// 1, 2, … each; the whole plan comes back; another organization's venue is `not_found`.
pub async fn layouts_are_numbered_within_their_venue<S: Catalog>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let [hall, park] = [venue(&subject, a).await, venue(&subject, a).await];
    let mut layouts = Vec::new();
    for (venue, version) in [(hall, 1), (hall, 2), (park, 1), (hall, 3)] {
        let layout = a_layout(&subject.environment, venue);
        assert_eq!(made(subject.store.create_layout(a, layout.clone(), None).await.unwrap()), version);
        layouts.push((layout, version));
    }
    for (written, version) in &layouts {
        let read = subject.store.read_layout(a, written.id).await.unwrap().unwrap();
        assert_eq!(
            (read.id, read.venue, read.version, read.created_at),
            (written.id, written.venue, *version, written.created_at)
        );
        assert_eq!(read.layout, written.layout);
        assert!(subject.store.read_layout(b, written.id).await.unwrap().is_none());
    }
    let listed = subject.store.layouts(a, ALL).await.unwrap().items;
    assert_eq!(listed.iter().map(|layout| layout.version).collect::<Vec<_>>(), [1, 2, 1, 3]);
    assert!(listed.iter().all(|layout| layout.layout.areas.is_empty()), "lists go without plans");
    assert!(subject.store.layouts(b, ALL).await.unwrap().items.is_empty());
    let foreign = a_layout(&subject.environment, hall);
    let refused = subject.store.create_layout(b, foreign, None).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
}

/// No number twice, none left out.
pub async fn layouts_numbered_at_once_get_different_numbers<S: Catalog>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let venue = venue(&subject, organization).await;
    let writers = (0..8).map(|_| {
        let (store, layout) = (subject.store.clone(), a_layout(&subject.environment, venue));
        tokio::spawn(async move { made(store.create_layout(organization, layout, None).await.unwrap()) })
    });
    let mut versions = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        versions.push(writer.await.unwrap());
    }
    versions.sort_unstable();
    assert_eq!(versions, (1..=8).collect::<Vec<_>>());
}

/// Read anew by whoever asks, said to every event of the layout, refused on a version that is over or of another organization.
pub async fn flags_of_a_stored_layout_are_set_once_per_version<S: Catalog>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let event = event(&subject, a).await.id;
    let layout = subject.store.read_listing(a, event).await.unwrap().unwrap().event.layout;
    let held = subject.store.read_layout(a, layout).await.unwrap().unwrap().layout;
    changes(&subject).await;
    let now = subject.environment.now();
    let changed = held.with_flags(&[PlaceNumber(0)], vec![SeatFlag::Accessible]).unwrap();
    assert_eq!(subject.store.set_layout_flags(b, layout, &changed, now).await.unwrap(), None);
    assert_eq!(subject.store.set_layout_flags(a, layout, &changed, now).await.unwrap(), Some(vec![event]));
    assert_eq!(subject.store.set_layout_flags(a, layout, &changed, now).await.unwrap(), None, "the version is over");
    let told: Vec<EventId> = changes(&subject).await.into_iter().map(|(event, _)| event).collect();
    assert_eq!(told, [event]);
    // Also while somebody has the plan before in hand.
    let listing = subject.store.read_listing(a, event).await.unwrap().unwrap();
    let seat = |layout: &Layout| layout.seat(PlaceNumber(0)).unwrap().seat.clone();
    assert_eq!(seat(&listing.layout).flags, [SeatFlag::Accessible]);
    assert_eq!((listing.layout.flags_version, listing.layout.place_count()), (1, held.place_count()));
    assert_eq!(seat(&held).label, seat(&listing.layout).label);
    assert_eq!(*subject.store.read_layout(a, layout).await.unwrap().unwrap().layout, *listing.layout);
}

/// `not_found` for another's, and for one that is not there.
pub async fn an_event_pins_a_layout_of_its_own_organization<S: Catalog>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let of_a = layout(&subject, a).await;
    let now = subject.environment.now();
    for layout in [of_a, fresh(&*subject.environment)] {
        let event = an_event(&subject.environment, b, layout);
        let refused = subject.store.create_event(b, event.clone(), now, None).await.unwrap().unwrap_err();
        assert_eq!(refused.code, Code::NotFound);
        assert_eq!(subject.store.organization_of(event.id).await.unwrap(), None);
    }
    let event = an_event(&subject.environment, a, of_a);
    made(subject.store.create_event(a, event.clone(), now, None).await.unwrap());
    assert_eq!(subject.store.organization_of(event.id).await.unwrap(), Some(a));
    assert!(changes(&subject).await == [(event.id, 1)], "what was refused is no fact");
}

/// Event, plan, ticket types and rules, to the last field.
pub async fn a_listing_is_what_was_written<S: Catalog>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let layout = a_layout(&subject.environment, venue(&subject, organization).await);
    made(subject.store.create_layout(organization, layout.clone(), None).await.unwrap());
    let event = an_event(&subject.environment, organization, layout.id);
    let now = subject.environment.now();
    made(subject.store.create_event(organization, event.clone(), now, None).await.unwrap());
    let types = [a_ticket_type(&subject.environment, event.id), a_ticket_type(&subject.environment, event.id)];
    for ticket_type in &types {
        made(subject.store.create_ticket_type(organization, ticket_type.clone(), now, None).await.unwrap());
    }
    let effects = [PriceEffect::BasisPointsOff(1_000), PriceEffect::AmountOff(500), PriceEffect::Price(99)];
    let codes = [Some("Early Bird"), Some("FRIENDS"), None];
    let rules: Vec<_> = effects
        .into_iter()
        .zip(codes)
        .map(|(effect, code)| a_rule(&subject.environment, event.id, code, effect))
        .collect();
    for rule in &rules {
        made(subject.store.create_price_rule(organization, rule.clone(), now, None).await.unwrap());
    }
    let listing = subject.store.read_listing(organization, event.id).await.unwrap().unwrap();
    assert_eq!(listing.event, event);
    assert_eq!(listing.layout, layout.layout);
    assert_eq!(listing.ticket_types, types);
    assert_eq!(listing.price_rules, rules);
    assert_eq!(subject.store.venue_of(organization, event.id).await.unwrap().unwrap().id, layout.venue);
}

/// Reading and writing with another organization's event finds nothing.
pub async fn a_listing_is_its_own_organizations<S: Catalog>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let event = event(&subject, a).await;
    let now = subject.environment.now();
    let before = subject.store.read_listing(a, event.id).await.unwrap();
    assert!(subject.store.read_listing(b, event.id).await.unwrap().is_none());
    assert!(subject.store.venue_of(b, event.id).await.unwrap().is_none());
    let ticket_type = a_ticket_type(&subject.environment, event.id);
    let refused = subject.store.create_ticket_type(b, ticket_type, now, None).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
    let rule = a_rule(&subject.environment, event.id, None, PriceEffect::Price(0));
    let refused = subject.store.create_price_rule(b, rule, now, None).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
    let moved = subject.store.move_event(b, event.id, &[EventState::Draft], EventState::Published, now).await.unwrap();
    assert_eq!(moved.unwrap_err().code, Code::NotFound);
    assert_eq!(subject.store.read_listing(a, event.id).await.unwrap(), before);
}

/// Once, by their own organization.
pub async fn ticket_types_go_off_sale<S: Catalog>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let event = event(&subject, a).await;
    let now = subject.environment.now();
    let [kept, retired] =
        [a_ticket_type(&subject.environment, event.id), a_ticket_type(&subject.environment, event.id)];
    for ticket_type in [&kept, &retired] {
        made(subject.store.create_ticket_type(a, ticket_type.clone(), now, None).await.unwrap());
    }
    assert!(!subject.store.retire_ticket_type(b, retired.id, now).await.unwrap());
    assert!(!subject.store.retire_ticket_type(a, fresh(&*subject.environment), now).await.unwrap());
    assert_eq!(subject.store.read_listing(a, event.id).await.unwrap().unwrap().ticket_types.len(), 2);
    assert!(subject.store.retire_ticket_type(a, retired.id, now).await.unwrap());
    assert_eq!(subject.store.read_listing(a, event.id).await.unwrap().unwrap().ticket_types, [kept]);
}

/// Whatever its case; rules without a code do not clash.
pub async fn a_code_is_unique_within_its_event<S: Catalog>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let [one, other] = [event(&subject, organization).await, event(&subject, organization).await];
    let now = subject.environment.now();
    let create = |event: &Event, code| {
        let rule = a_rule(&subject.environment, event.id, code, PriceEffect::AmountOff(1));
        subject.store.create_price_rule(organization, rule, now, None)
    };
    made(create(&one, Some("Früh")).await.unwrap());
    for code in ["Früh", "FRÜH", "früh"] {
        assert_eq!(create(&one, Some(code)).await.unwrap().unwrap_err().code, Code::AlreadyExists, "{code}");
    }
    made(create(&one, Some("FRUH")).await.unwrap());
    made(create(&other, Some("früh")).await.unwrap());
    made(create(&one, None).await.unwrap());
    made(create(&one, None).await.unwrap());
    assert_eq!(subject.store.read_listing(organization, one.id).await.unwrap().unwrap().price_rules.len(), 4);
}

/// `wrong_state` otherwise, `not_found` where it is not there.
pub async fn an_event_moves_from_expected_states_only<S: Catalog>(subject: Subject<S>) {
    use EventState::{Closed, Draft, Paused, Published};
    let organization = organization(&subject).await;
    let event = event(&subject, organization).await;
    let now = subject.environment.now();
    let moved = |event, from: &'static [EventState], to| {
        let store = &subject.store;
        async move { store.move_event(organization, event, from, to, now).await.unwrap().map_err(|refusal| refusal.code) }
    };
    let state = || async { subject.store.read_listing(organization, event.id).await.unwrap().unwrap().event.state };
    assert_eq!(moved(event.id, &[Published, Paused], Closed).await, Err(Code::WrongState));
    assert_eq!(moved(event.id, &[], Published).await, Err(Code::WrongState));
    assert_eq!(state().await, Draft);
    assert_eq!(moved(event.id, &[Draft], Published).await, Ok(()));
    assert_eq!(moved(event.id, &[Draft], Published).await, Err(Code::WrongState));
    assert_eq!(moved(event.id, &[Published, Paused], Closed).await, Ok(()));
    assert_eq!(state().await, Closed);
    assert_eq!(moved(fresh(&*subject.environment), &[Draft], Published).await, Err(Code::NotFound));
}

/// And without an organization only what all may see.
pub async fn lists_show_drafts_to_their_organization_only<S: Catalog>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let mut ids = Vec::new();
    for organization in [a, a, b, b] {
        ids.push(event(&subject, organization).await.id);
    }
    let now = subject.environment.now();
    for (organization, event) in [(a, ids[1]), (b, ids[2])] {
        let published =
            subject.store.move_event(organization, event, &[EventState::Draft], EventState::Published, now).await;
        published.unwrap().unwrap();
    }
    let list = |organization, published_only| {
        let store = &subject.store;
        async move {
            let items = store.events(organization, published_only, ALL).await.unwrap().items;
            assert!(items.iter().all(|item| item.venue == "Town Hall"));
            items.into_iter().map(|item| item.event.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(list(Some(a), false).await, ids[..2]);
    assert_eq!(list(Some(a), true).await, ids[1..2]);
    assert_eq!(list(None, true).await, ids[1..3]);
    assert_eq!(list(None, false).await, ids[1..3], "fails closed");
    let first = subject.store.events(None, true, PageRequest { after: None, most: 1 }).await.unwrap();
    assert_eq!(first.next, Some(ids[1].uuid()));
    let rest = subject.store.events(None, true, PageRequest { after: first.next, most: 1 }).await.unwrap();
    assert_eq!((rest.items[0].event.id, rest.next), (ids[2], None));
}

/// Hours from now: start, end, last admission, and the last admission of a ticket type on sale; the list that the event belongs to comes from the place in
/// `COMING` and `PAST`.
type Dates = (i64, Option<i64>, Option<i64>, Option<i64>);

const PROGRAMME: [Dates; 13] = [
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
    // Stays a draft.
    (40, None, None, None),
];
const COMING: [usize; 7] = [6, 7, 10, 4, 2, 3, 0];
const PAST: [usize; 5] = [11, 9, 8, 5, 1];

async fn a_programme<S: Catalog>(subject: &Subject<S>) -> Vec<(OrganizationId, EventId)> {
    let (store, now) = (&subject.store, subject.environment.now());
    let organizations = [organization(subject).await, organization(subject).await];
    let at = |hours: i64| Timestamp::from_micros(now.micros() + hours * 3_600_000_000);
    let mut made_events = Vec::new();
    for (number, (start, end, last, of_type)) in PROGRAMME.into_iter().enumerate() {
        let organization = organizations[number % 2];
        let layout = layout(subject, organization).await;
        let admission =
            AdmissionTimes { ends_at: end.map(at), admits_until: last.map(at), ..AdmissionTimes::default() };
        let event = Event { starts_at: at(start), admission, ..an_event(&subject.environment, organization, layout) };
        made(store.create_event(organization, event.clone(), now, None).await.unwrap());
        if let Some(until) = of_type {
            let admission = AdmissionTimes { admits_until: Some(at(until)), ..AdmissionTimes::default() };
            let ticket_type = TicketType { admission, ..a_ticket_type(&subject.environment, event.id) };
            made(store.create_ticket_type(organization, ticket_type, now, None).await.unwrap());
        }
        if number + 1 < PROGRAMME.len() {
            let (from, to) = (&[EventState::Draft], EventState::Published);
            store.move_event(organization, event.id, from, to, now).await.unwrap().unwrap();
        }
        made_events.push((organization, event.id));
    }
    made_events
}

/// Of all organizations, page by page in both directions, two at the same moment included; drafts are in neither. What runs comes first, and is past from
/// its end or its last admission on, to the moment.
pub async fn the_programme_shows_the_next_event_first_and_past_ones_apart<S: Catalog>(subject: Subject<S>) {
    let (store, now) = (&subject.store, subject.environment.now());
    let events = a_programme(&subject).await;
    let list = async |past, most| {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.programme(ProgrammeRequest { past, now, after, most }).await.unwrap();
            found.extend(page.items.iter().map(|item| item.event.id));
            after = page.items.last().map(|item| (item.event.starts_at, item.event.id));
            if page.next.is_none() {
                return found;
            }
        }
    };
    let ids = |numbers: &[usize]| numbers.iter().map(|number| events[*number].1).collect::<Vec<_>>();
    for most in [1, 2, 3, 4, 5, 50] {
        assert_eq!(list(false, most).await, ids(&COMING), "coming, pages of {most}");
        assert_eq!(list(true, most).await, ids(&PAST), "past, pages of {most}");
    }
    // A longer end brings an event back, and without its ticket type another one is past.
    let later = EventChange { ends_at: Some(Some(now.plus(SECOND))), ..EventChange::default() };
    store.change_event(events[1].0, events[1].1, later, now).await.unwrap().unwrap();
    let (organization, passes) = events[10];
    let ticket_type = store.read_listing(organization, passes).await.unwrap().unwrap().ticket_types[0].id;
    assert!(store.retire_ticket_type(organization, ticket_type, now).await.unwrap());
    assert_eq!(list(false, 2).await, ids(&[6, 7, 1, 4, 2, 3, 0]));
    assert_eq!(list(true, 2).await, ids(&[11, 9, 8, 5, 10]));
}

/// Each under the next version; what was refused is none.
pub async fn every_change_of_a_listing_is_a_fact<S: Catalog>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let event = event(&subject, organization).await;
    let now = subject.environment.now();
    assert_eq!(changes(&subject).await, [(event.id, 1)]);
    let ticket_type = a_ticket_type(&subject.environment, event.id);
    made(subject.store.create_ticket_type(organization, ticket_type.clone(), now, None).await.unwrap());
    assert_eq!(changes(&subject).await, [(event.id, 2)]);
    let rule = || a_rule(&subject.environment, event.id, Some("x"), PriceEffect::Price(0));
    made(subject.store.create_price_rule(organization, rule(), now, None).await.unwrap());
    assert_eq!(changes(&subject).await, [(event.id, 3)]);
    subject.store.create_price_rule(organization, rule(), now, None).await.unwrap().unwrap_err();
    let moved = subject.store.move_event(organization, event.id, &[EventState::Paused], EventState::Closed, now).await;
    moved.unwrap().unwrap_err();
    assert_eq!(changes(&subject).await, []);
    subject.store.retire_ticket_type(organization, ticket_type.id, now).await.unwrap();
    let moved =
        subject.store.move_event(organization, event.id, &[EventState::Draft], EventState::Published, now).await;
    moved.unwrap().unwrap();
    assert_eq!(changes(&subject).await, [(event.id, 4), (event.id, 5)]);
}

/// Every creation of this port: the repeat answers as before, writes nothing and tells nothing.
pub async fn a_repeat_changes_nothing<S: Catalog>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let environment = &*subject.environment;
    let now = environment.now();
    let record = |scope| Some(a_record(environment, scope, [1; 32], "answer"));
    let replayed = |replayed: bool, round| assert_eq!(replayed, round == 1);
    let layout_venue = venue(&subject, organization).await;
    let pinned = layout(&subject, organization).await;
    let event = event(&subject, organization).await;
    changes(&subject).await;
    let store = &subject.store;
    for round in 0..2 {
        let venue = Venue { id: fresh(environment), name: "Twice".into(), address: String::new() };
        let created = store.create_venue(organization, venue, record("venue")).await.unwrap().unwrap();
        replayed(matches!(created, Created::Replayed(_)), round);
        let created = store.create_layout(organization, a_layout(environment, layout_venue), record("layout")).await;
        replayed(matches!(created.unwrap().unwrap(), Created::Replayed(_)), round);
        let another = an_event(environment, organization, pinned);
        let created = store.create_event(organization, another, now, record("event")).await.unwrap().unwrap();
        replayed(matches!(created, Created::Replayed(_)), round);
        let ticket_type = a_ticket_type(environment, event.id);
        let created = store.create_ticket_type(organization, ticket_type, now, record("ticket_type")).await;
        replayed(matches!(created.unwrap().unwrap(), Created::Replayed(_)), round);
        let rule = a_rule(environment, event.id, None, PriceEffect::Price(0));
        let created = store.create_price_rule(organization, rule, now, record("rule")).await.unwrap().unwrap();
        replayed(matches!(created, Created::Replayed(_)), round);
        assert_eq!(changes(&subject).await.len(), if round == 0 { 3 } else { 0 });
    }
    assert_eq!(store.venues(organization, ALL).await.unwrap().items.len(), 4);
    let layouts = store.layouts(organization, ALL).await.unwrap().items;
    assert_eq!(layouts.iter().filter(|layout| layout.venue == layout_venue).count(), 1);
    assert_eq!(store.events(Some(organization), false, ALL).await.unwrap().items.len(), 2);
    let listing = store.read_listing(organization, event.id).await.unwrap().unwrap();
    assert_eq!((listing.ticket_types.len(), listing.price_rules.len()), (1, 1));
}
