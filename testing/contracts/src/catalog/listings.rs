//! Cases of listings: reads return what was written, and each change writes one outbox event (P7, P8).

use voelgoed_app::catalog::ports::Venue;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::idempotency::Created;
use voelgoed_domain::catalog::event::{Event, EventState};
use voelgoed_domain::catalog::price_rule::PriceEffect;
use voelgoed_domain::refusal::Code;

use super::{ALL, CatalogTier, new_price_rule, take_listing_changes};
use crate::catalog_fixtures::{
    expect_created, new_event, new_layout, new_ticket_type, stored_event, stored_layout, stored_organization,
    stored_venue,
};
use crate::idempotency::idempotency_record;
use crate::sut::Sut;

/// Event, plan, ticket types and price rules are read back with every field.
pub async fn listing_is_read_back_as_written<S: CatalogTier>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let layout = new_layout(&sut.environment, stored_venue(&sut, organization).await);
    expect_created(sut.store.create_layout(organization, layout.clone(), None).await.unwrap());
    let event = new_event(&sut.environment, organization, layout.id);
    let now = sut.environment.now();
    expect_created(sut.store.create_event(organization, event.clone(), now, None).await.unwrap());
    let types = [new_ticket_type(&sut.environment, event.id), new_ticket_type(&sut.environment, event.id)];
    for ticket_type in &types {
        expect_created(sut.store.create_ticket_type(organization, ticket_type.clone(), now, None).await.unwrap());
    }
    let effects = [PriceEffect::BasisPointsOff(1_000), PriceEffect::AmountOff(500), PriceEffect::Price(99)];
    let codes = [Some("Early Bird"), Some("FRIENDS"), None];
    let rules: Vec<_> = effects
        .into_iter()
        .zip(codes)
        .map(|(effect, code)| new_price_rule(&sut.environment, event.id, code, effect))
        .collect();
    for rule in &rules {
        expect_created(sut.store.create_price_rule(organization, rule.clone(), now, None).await.unwrap());
    }
    let listing = sut.store.read_listing(organization, event.id).await.unwrap().unwrap();
    assert_eq!(listing.event, event);
    assert_eq!(listing.layout, layout.layout);
    assert_eq!(listing.ticket_types, types);
    assert_eq!(listing.price_rules, rules);
    assert_eq!(sut.store.venue_of(organization, event.id).await.unwrap().unwrap().id, layout.venue);
}

/// Another organization can neither read nor change the listing.
pub async fn listing_is_not_found_for_another_organization<S: CatalogTier>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let event = stored_event(&sut, a).await;
    let now = sut.environment.now();
    let before = sut.store.read_listing(a, event.id).await.unwrap();
    assert!(sut.store.read_listing(b, event.id).await.unwrap().is_none());
    assert!(sut.store.venue_of(b, event.id).await.unwrap().is_none());
    let ticket_type = new_ticket_type(&sut.environment, event.id);
    let refused = sut.store.create_ticket_type(b, ticket_type, now, None).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
    let rule = new_price_rule(&sut.environment, event.id, None, PriceEffect::Price(0));
    let refused = sut.store.create_price_rule(b, rule, now, None).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
    let moved =
        sut.store.transition_event(b, event.id, &[EventState::Draft], EventState::Published, now).await.unwrap();
    assert_eq!(moved.unwrap_err().code, Code::NotFound);
    assert_eq!(sut.store.read_listing(a, event.id).await.unwrap(), before);
}

/// A ticket type is retired once, by its own organization.
pub async fn retired_ticket_type_leaves_the_listing<S: CatalogTier>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let event = stored_event(&sut, a).await;
    let now = sut.environment.now();
    let [kept, retired] = [new_ticket_type(&sut.environment, event.id), new_ticket_type(&sut.environment, event.id)];
    for ticket_type in [&kept, &retired] {
        expect_created(sut.store.create_ticket_type(a, ticket_type.clone(), now, None).await.unwrap());
    }
    assert!(!sut.store.retire_ticket_type(b, retired.id, now).await.unwrap());
    assert!(!sut.store.retire_ticket_type(a, new_id(&*sut.environment), now).await.unwrap());
    assert_eq!(sut.store.read_listing(a, event.id).await.unwrap().unwrap().ticket_types.len(), 2);
    assert!(sut.store.retire_ticket_type(a, retired.id, now).await.unwrap());
    assert_eq!(sut.store.read_listing(a, event.id).await.unwrap().unwrap().ticket_types, [kept]);
}

/// Codes are compared without case; rules without a code do not conflict.
pub async fn price_rule_code_is_unique_within_its_event<S: CatalogTier>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let [one, other] = [stored_event(&sut, organization).await, stored_event(&sut, organization).await];
    let now = sut.environment.now();
    let create = |event: &Event, code| {
        let rule = new_price_rule(&sut.environment, event.id, code, PriceEffect::AmountOff(1));
        sut.store.create_price_rule(organization, rule, now, None)
    };
    expect_created(create(&one, Some("Früh")).await.unwrap());
    for code in ["Früh", "FRÜH", "früh"] {
        assert_eq!(create(&one, Some(code)).await.unwrap().unwrap_err().code, Code::AlreadyExists, "{code}");
    }
    expect_created(create(&one, Some("FRUH")).await.unwrap());
    expect_created(create(&other, Some("früh")).await.unwrap());
    expect_created(create(&one, None).await.unwrap());
    expect_created(create(&one, None).await.unwrap());
    assert_eq!(sut.store.read_listing(organization, one.id).await.unwrap().unwrap().price_rules.len(), 4);
}

/// Each change has the next version; a refused change writes no outbox event (P8).
pub async fn every_listing_change_writes_an_outbox_event<S: CatalogTier>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let event = stored_event(&sut, organization).await;
    let now = sut.environment.now();
    assert_eq!(take_listing_changes(&sut).await, [(event.id, 1)]);
    let ticket_type = new_ticket_type(&sut.environment, event.id);
    expect_created(sut.store.create_ticket_type(organization, ticket_type.clone(), now, None).await.unwrap());
    assert_eq!(take_listing_changes(&sut).await, [(event.id, 2)]);
    let rule = || new_price_rule(&sut.environment, event.id, Some("x"), PriceEffect::Price(0));
    expect_created(sut.store.create_price_rule(organization, rule(), now, None).await.unwrap());
    assert_eq!(take_listing_changes(&sut).await, [(event.id, 3)]);
    sut.store.create_price_rule(organization, rule(), now, None).await.unwrap().unwrap_err();
    let moved =
        sut.store.transition_event(organization, event.id, &[EventState::Paused], EventState::Closed, now).await;
    moved.unwrap().unwrap_err();
    assert_eq!(take_listing_changes(&sut).await, []);
    sut.store.retire_ticket_type(organization, ticket_type.id, now).await.unwrap();
    let moved =
        sut.store.transition_event(organization, event.id, &[EventState::Draft], EventState::Published, now).await;
    moved.unwrap().unwrap();
    assert_eq!(take_listing_changes(&sut).await, [(event.id, 4), (event.id, 5)]);
}

/// Every creation of this port: the repeat replays the stored answer and writes neither rows nor outbox events.
pub async fn repeated_creation_changes_nothing<S: CatalogTier>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let environment = &*sut.environment;
    let now = environment.now();
    let record = |caller| Some(idempotency_record(environment, caller, [1; 32], "answer"));
    let replayed = |replayed: bool, round| assert_eq!(replayed, round == 1);
    let layout_venue = stored_venue(&sut, organization).await;
    let pinned = stored_layout(&sut, organization).await;
    let event = stored_event(&sut, organization).await;
    take_listing_changes(&sut).await;
    let store = &sut.store;
    for round in 0..2 {
        let venue = Venue { id: new_id(environment), name: "Twice".into(), address: String::new() };
        let created = store.create_venue(organization, venue, record("venue")).await.unwrap().unwrap();
        replayed(matches!(created, Created::Replayed(_)), round);
        let created = store.create_layout(organization, new_layout(environment, layout_venue), record("layout")).await;
        replayed(matches!(created.unwrap().unwrap(), Created::Replayed(_)), round);
        let another = new_event(environment, organization, pinned);
        let created = store.create_event(organization, another, now, record("event")).await.unwrap().unwrap();
        replayed(matches!(created, Created::Replayed(_)), round);
        let ticket_type = new_ticket_type(environment, event.id);
        let created = store.create_ticket_type(organization, ticket_type, now, record("ticket_type")).await;
        replayed(matches!(created.unwrap().unwrap(), Created::Replayed(_)), round);
        let rule = new_price_rule(environment, event.id, None, PriceEffect::Price(0));
        let created = store.create_price_rule(organization, rule, now, record("rule")).await.unwrap().unwrap();
        replayed(matches!(created, Created::Replayed(_)), round);
        assert_eq!(take_listing_changes(&sut).await.len(), if round == 0 { 3 } else { 0 });
    }
    assert_eq!(store.venues(organization, ALL).await.unwrap().items.len(), 4);
    let layouts = store.layouts(organization, ALL).await.unwrap().items;
    assert_eq!(layouts.iter().filter(|layout| layout.venue == layout_venue).count(), 1);
    assert_eq!(store.events(Some(organization), false, ALL).await.unwrap().items.len(), 2);
    let listing = store.read_listing(organization, event.id).await.unwrap().unwrap();
    assert_eq!((listing.ticket_types.len(), listing.price_rules.len()), (1, 1));
}
