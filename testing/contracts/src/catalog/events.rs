//! Cases of show events: state transitions, moved dates, deleted drafts.

use voelgoed_app::environment::{Environment, new_id};
use voelgoed_domain::catalog::event::{Event, EventChange, EventState};
use voelgoed_domain::catalog::price_rule::PriceEffect;
use voelgoed_domain::refusal::Code;

use super::{CatalogTier, SECOND, new_price_rule, take_listing_changes};
use crate::catalog_fixtures::{
    expect_created, new_event, new_ticket_type, stored_event, stored_layout, stored_organization,
};
use crate::sut::Sut;

/// All times that the request does not name move with the start, also those of retired ticket types; contradictory times change nothing.
pub async fn moving_an_event_moves_its_admission_windows<S: CatalogTier>(sut: Sut<S>) {
    let (store, environment) = (&sut.store, &sut.environment);
    let organization = stored_organization(&sut).await;
    let before = stored_event(&sut, organization).await;
    let now = environment.now();
    let (kept, retired) = (new_ticket_type(environment, before.id), new_ticket_type(environment, before.id));
    for ticket_type in [&kept, &retired] {
        expect_created(store.create_ticket_type(organization, ticket_type.clone(), now, None).await.unwrap());
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
    // `None` restores the default.
    let defaults = EventChange { doors_at: Some(None), admits_from: Some(None), ..EventChange::default() };
    assert_eq!(change(defaults).await.unwrap().admission_window().from, starts_at.minus(SECOND * 86_400));
    let refused = store.change_event(new_id(&**environment), before.id, EventChange::default(), now).await.unwrap();
    assert_eq!(refused.unwrap_err().code, Code::NotFound);
}

/// A draft is deleted once, by its own organization, and not after it was published; other events are unchanged.
pub async fn draft_event_is_deleted_with_its_ticket_types_and_rules<S: CatalogTier>(sut: Sut<S>) {
    let (store, environment) = (&sut.store, &sut.environment);
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let [draft, kept] = [stored_event(&sut, a).await, stored_event(&sut, a).await];
    let now = environment.now();
    for event in [&draft, &kept] {
        expect_created(store.create_ticket_type(a, new_ticket_type(environment, event.id), now, None).await.unwrap());
        let rule = new_price_rule(environment, event.id, Some("CODE"), PriceEffect::AmountOff(1));
        expect_created(store.create_price_rule(a, rule, now, None).await.unwrap());
    }
    store.transition_event(a, kept.id, &[EventState::Draft], EventState::Published, now).await.unwrap().unwrap();
    let untouched = store.read_listing(a, kept.id).await.unwrap();
    take_listing_changes(&sut).await;
    let delete = async |organization, event| store.delete_event(organization, event, now).await.unwrap();
    assert_eq!(delete(b, draft.id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(delete(a, kept.id).await.unwrap_err().code, Code::WrongState);
    assert!(take_listing_changes(&sut).await.is_empty());
    delete(a, draft.id).await.unwrap();
    assert_eq!(take_listing_changes(&sut).await.iter().map(|(event, _)| *event).collect::<Vec<_>>(), [draft.id]);
    assert!(store.read_listing(a, draft.id).await.unwrap().is_none());
    assert_eq!(delete(a, draft.id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(store.read_listing(a, kept.id).await.unwrap(), untouched);
}

/// `not_found` for another organization's layout, and for an unknown one.
pub async fn event_with_a_layout_of_another_organization_is_refused<S: CatalogTier>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let layout_of_a = stored_layout(&sut, a).await;
    let now = sut.environment.now();
    for layout in [layout_of_a, new_id(&*sut.environment)] {
        let event = new_event(&sut.environment, b, layout);
        let refused = sut.store.create_event(b, event.clone(), now, None).await.unwrap().unwrap_err();
        assert_eq!(refused.code, Code::NotFound);
        assert_eq!(sut.store.organization_of(event.id).await.unwrap(), None);
    }
    let event = new_event(&sut.environment, a, layout_of_a);
    expect_created(sut.store.create_event(a, event.clone(), now, None).await.unwrap());
    assert_eq!(sut.store.organization_of(event.id).await.unwrap(), Some(a));
    assert!(take_listing_changes(&sut).await == [(event.id, 1)], "a refused event writes no outbox event");
}

/// Another state is `wrong_state`, an unknown event is `not_found`.
pub async fn event_transition_from_an_unexpected_state_is_refused<S: CatalogTier>(sut: Sut<S>) {
    use EventState::{Closed, Draft, Paused, Published};
    let organization = stored_organization(&sut).await;
    let event = stored_event(&sut, organization).await;
    let now = sut.environment.now();
    let moved = |event, from: &'static [EventState], to| {
        let store = &sut.store;
        async move {
            store.transition_event(organization, event, from, to, now).await.unwrap().map_err(|refusal| refusal.code)
        }
    };
    let state = || async { sut.store.read_listing(organization, event.id).await.unwrap().unwrap().event.state };
    assert_eq!(moved(event.id, &[Published, Paused], Closed).await, Err(Code::WrongState));
    assert_eq!(moved(event.id, &[], Published).await, Err(Code::WrongState));
    assert_eq!(state().await, Draft);
    assert_eq!(moved(event.id, &[Draft], Published).await, Ok(()));
    assert_eq!(moved(event.id, &[Draft], Published).await, Err(Code::WrongState));
    assert_eq!(moved(event.id, &[Published, Paused], Closed).await, Ok(()));
    assert_eq!(state().await, Closed);
    assert_eq!(moved(new_id(&*sut.environment), &[Draft], Published).await, Err(Code::NotFound));
}
