//! Cases of holds: taking, changing and releasing places, and the expiry of holds (P1, P4).

use std::collections::BTreeSet;

use voelgoed_app::ticketing::free_expired_holds::free_all_expired_holds;

use super::*;

/// One taken place refuses the whole request, which then writes nothing.
pub async fn hold_with_a_taken_place_is_refused_whole<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let wanted = request(&sut, [seats(&[3, 4]), vec![any_of_area(2)]].concat());
    let now = voelgoed_app::environment::Environment::now(&*sut.environment);
    let record = store.hold(scope, wanted.clone()).await.unwrap();
    assert_eq!(numbers(&record), [3, 4, 20, 21]);
    assert_eq!(record.places.len(), 3, "a list per pick");
    assert_eq!((record.session, record.terms.as_str()), (wanted.session, wanted.terms.as_str()));
    assert_eq!((record.expires_at, record.epoch), (now.plus(TEN_MINUTES), Epoch(1)));

    let before = store.snapshot(scope).await.unwrap();
    let refusal = refusal(store.hold(scope, request(&sut, seats(&[2, 3, 4]))).await);
    assert_eq!(refusal.code, Code::PlaceTaken);
    assert_eq!(refusal.evidence.places, [PlaceNumber(3), PlaceNumber(4)]);
    let too_many =
        HoldRequest { places_per_session: 100, ..request(&sut, [seats(&[0]), vec![any_of_area(99)]].concat()) };
    assert_eq!(code(store.hold(scope, too_many).await), Code::SoldOut);
    for invalid in [vec![], seats(&[120]), seats(&[0, 0]), vec![any_of_area(0)]] {
        assert_eq!(code(store.hold(scope, request(&sut, invalid)).await), Code::InvalidRequest);
    }
    assert_eq!(store.snapshot(scope).await.unwrap(), before);
    assert_eq!(counts(&sut, scope).await.held, 4);
}

/// A repeat returns the first hold; the same id of another session is refused.
pub async fn repeated_hold_request_returns_the_first_hold<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let wanted = request(&sut, vec![any_of_area(3)]);
    let first = store.hold(scope, wanted.clone()).await.unwrap();
    sut.environment.advance(Duration::from_secs(5));
    assert_eq!(store.hold(scope, wanted.clone()).await.unwrap(), first);
    assert_eq!(store.read_hold(scope, first.hold).await.unwrap(), first);
    assert_eq!(counts(&sut, scope).await.held, 3);
    let other_session = HoldRequest { session: new_ids(&sut).1, ..wanted };
    assert_eq!(code(store.hold(scope, other_session).await), Code::NotFound);
}

/// The limit counts over all holds of a session, and the refusal names it.
pub async fn session_limit_counts_all_its_holds<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let session = new_ids(&sut).1;
    let of_session = |quantity| HoldRequest { session, ..request(&sut, vec![any_of_area(quantity)]) };
    let first = store.hold(scope, of_session(6)).await.unwrap();
    store.hold(scope, of_session(4)).await.unwrap();
    assert_eq!(store.held_by(scope, session).await.unwrap(), 10);
    let refused = refusal(store.hold(scope, of_session(1)).await);
    assert_eq!(refused.evidence.limit.unwrap().name, "places_per_session");
    store.release(scope, first.hold).await.unwrap();
    assert_eq!(store.held_by(scope, session).await.unwrap(), 4);
    store.hold(scope, of_session(1)).await.unwrap();
}

/// Places of all sessions of one client address count together; released, expired and ordered ones do not.
pub async fn address_limit_counts_the_holds_of_all_its_sessions<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let [one, network] = ["10.0.0.1", "2001:db8:1:2::"].map(|text| text.parse().ok());
    let from = |address, quantity| HoldRequest {
        address,
        places_per_address: 12,
        ..request(&sut, vec![any_of_area(quantity)])
    };
    let first = store.hold(scope, from(one, 6)).await.unwrap();
    let second = store.hold(scope, from(one, 5)).await.unwrap();
    let before = store.snapshot(scope).await.unwrap();
    let refused = refusal(store.hold(scope, from(one, 2)).await);
    let limit = refused.evidence.limit.unwrap();
    assert_eq!((refused.code, limit.name, limit.most), (Code::LimitReached, "places_per_address_max", 12));
    assert_eq!(store.snapshot(scope).await.unwrap(), before, "a refusal changes nothing");
    store.hold(scope, from(network, 10)).await.unwrap();
    store.hold(scope, from(None, 10)).await.unwrap();
    let last = store.hold(scope, from(one, 1)).await.unwrap();
    // A change counts for the address of its hold: over the limit a hold may shrink, but not grow.
    let change = |record: &HoldRecord, quantity| HoldRequest {
        hold: record.hold,
        session: record.session,
        expected_version: record.version,
        address: network,
        ..from(network, quantity)
    };
    let grown = refusal(store.change_hold(scope, change(&first, 7)).await);
    assert_eq!(grown.evidence.limit.unwrap().name, "places_per_address_max");
    let low = HoldRequest { places_per_address: 1, ..change(&first, 5) };
    let first = store.change_hold(scope, low).await.unwrap();
    store.hold(scope, from(one, 1)).await.unwrap();
    // Released, expired and ordered places.
    store.release(scope, second.hold).await.unwrap();
    store.hold(scope, from(one, 5)).await.unwrap();
    assert_eq!(code(store.hold(scope, from(one, 1)).await), Code::LimitReached);
    let order = new_id(&*sut.environment as &dyn Environment);
    let claims: Vec<_> = numbers(&first).into_iter().map(|place| effect(place, PlaceState::Claimed, 1)).collect();
    store.pin(scope, first.hold).await.unwrap();
    store.apply(scope, Some((first.hold, order)), &claims).await.unwrap();
    store.hold(scope, from(one, 5)).await.unwrap();
    assert_eq!(code(store.hold(scope, from(one, 1)).await), Code::LimitReached);
    sut.environment.advance(Duration::from_secs(5));
    // Holds that survive a rebuild are counted again.
    install_event(store, scope, plan(2)).await.unwrap();
    assert_eq!(code(store.hold(scope, from(one, 10)).await), Code::LimitReached);
    store.release(scope, last.hold).await.unwrap();
    store.hold(scope, from(one, 1)).await.unwrap();
    assert_eq!(code(store.hold(scope, from(one, 1)).await), Code::LimitReached);
    sut.environment.advance(TEN_MINUTES);
    store.hold(scope, from(one, 10)).await.unwrap();
}

/// A change is all or nothing too, keeps the common places and the expiry, and is made once per version.
pub async fn changed_hold_keeps_its_common_places_and_its_end<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let wanted = request(&sut, [seats(&[0, 1]), vec![any_of_area(2)]].concat());
    let first = store.hold(scope, wanted.clone()).await.unwrap();
    store.hold(scope, request(&sut, seats(&[5]))).await.unwrap();
    sut.environment.advance(Duration::from_secs(60));

    let conflicting = HoldRequest { picks: seats(&[1, 5]), ..wanted.clone() };
    assert_eq!(code(store.change_hold(scope, conflicting).await), Code::PlaceTaken);
    assert_eq!(store.read_hold(scope, first.hold).await.unwrap(), first);

    let other = HoldRequest { picks: [seats(&[1, 2]), vec![any_of_area(3)]].concat(), terms: "new".into(), ..wanted };
    let after = store.change_hold(scope, other.clone()).await.unwrap();
    assert_eq!((numbers(&after), after.terms.as_str()), (vec![1, 2, 20, 21, 22], "new"));
    assert_eq!(after.expires_at, first.expires_at);
    assert_eq!((first.version, after.version), (1, 2));
    assert_eq!(code(store.change_hold(scope, other.clone()).await), Code::HoldChanged);
    assert_eq!(store.read_hold(scope, first.hold).await.unwrap(), after);
    assert_eq!(display_state(&sut, scope, 0).await, DisplayState::Free);
    assert_eq!(store.held_by(scope, after.session).await.unwrap(), 5);
    let other_session = HoldRequest { session: new_ids(&sut).1, ..other.clone() };
    assert_eq!(code(store.change_hold(scope, other_session).await), Code::NotFound);
    let unknown = HoldRequest { hold: new_ids(&sut).0, ..other };
    assert_eq!(code(store.change_hold(scope, unknown).await), Code::HoldExpired);
}

/// The other seven changes are refused as `hold_changed`.
pub async fn one_of_many_changes_of_a_version_succeeds<S: InventoryStore>(sut: Sut<S>) {
    let scope = loaded(&sut).await;
    let wanted = request(&sut, seats(&[0]));
    sut.store.hold(scope, wanted.clone()).await.unwrap();
    let answers = run_concurrently(&sut, 8, |store, number| {
        let change = HoldRequest { picks: seats(&[0, 1 + number]), ..wanted.clone() };
        async move { store.change_hold(scope, change).await }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|answer| code(answer) == Code::HoldChanged));
    assert_eq!(sut.store.read_hold(scope, wanted.hold).await.unwrap(), *won[0].as_ref().unwrap());
    assert_eq!(counts(&sut, scope).await.held, 2);
}

/// Notes cover events that need not be loaded, are limited in number, expire, and belong to one session.
pub async fn session_lists_its_noted_holds<S: InventoryStore>(sut: Sut<S>) {
    let (store, environment) = (&sut.store, &sut.environment);
    let (one, other) = (new_scope(&sut), new_scope(&sut));
    let ((first, session), (second, other_session)) = (new_ids(&sut), new_ids(&sut));
    assert_eq!(store.noted_holds(session).await.unwrap(), []);
    store.note_hold(session, one, first).await.unwrap();
    store.note_hold(other_session, one, second).await.unwrap();
    environment.advance(Duration::from_micros(1));
    store.note_hold(session, other, second).await.unwrap();
    assert_eq!(store.noted_holds(session).await.unwrap(), [(other, second), (one, first)]);
    environment.advance(Duration::from_micros(1));
    store.note_hold(session, one, first).await.unwrap();
    assert_eq!(store.noted_holds(session).await.unwrap(), [(one, first), (other, second)], "a repeat is the same note");
    for _ in 0..NOTED_HOLDS_MAX {
        environment.advance(Duration::from_micros(1));
        store.note_hold(session, one, new_ids(&sut).0).await.unwrap();
    }
    let noted = store.noted_holds(session).await.unwrap();
    assert_eq!((noted.len(), noted.contains(&(one, first))), (NOTED_HOLDS_MAX, false));
    assert_eq!(store.noted_holds(other_session).await.unwrap(), [(one, second)]);
    environment.advance(NOTED_HOLDS_TTL);
    assert_eq!(store.noted_holds(session).await.unwrap(), []);
}

/// Released places can be held at once, and a repeated release does not free them from their next holder.
pub async fn repeated_release_changes_nothing<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let first = store.hold(scope, request(&sut, seats(&[0]))).await.unwrap();
    store.release(scope, first.hold).await.unwrap();
    let second = store.hold(scope, request(&sut, seats(&[0]))).await.unwrap();
    store.release(scope, first.hold).await.unwrap();
    assert_eq!(store.read_hold(scope, second.hold).await.unwrap(), second);
    assert_eq!(code(store.read_hold(scope, first.hold).await), Code::HoldExpired);
}

/// A hold is valid to the last microsecond before its end (P4).
pub async fn hold_expires_exactly_at_its_end<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let held = store.hold(scope, request(&sut, seats(&[0]))).await.unwrap();
    sut.environment.advance(TEN_MINUTES - Duration::from_micros(1));
    assert_eq!(code(store.hold(scope, request(&sut, seats(&[0]))).await), Code::PlaceTaken);
    sut.environment.advance(Duration::from_micros(1));
    assert_eq!(code(store.pin(scope, held.hold).await), Code::HoldExpired);
    store.hold(scope, request(&sut, seats(&[0]))).await.unwrap();
    assert_eq!(store.held_by(scope, held.session).await.unwrap(), 0);
}

/// More holds end at once than one step frees; the others are refused as expired from that moment on (P4).
pub async fn expired_hold_is_refused_before_it_is_freed<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let picks = (0..SEATS).map(|seat| seats(&[seat])).chain(std::iter::repeat_with(|| vec![any_of_area(1)]));
    let mut held = Vec::new();
    for picks in picks.take(FREED_PER_STEP_MAX + 1) {
        held.push(store.hold(scope, request(&sut, picks)).await.unwrap().hold);
    }
    // Holds are freed in the order of their ids: the step that reads the last hold frees all others.
    let last = *held.iter().max().unwrap();
    sut.environment.advance(TEN_MINUTES - Duration::from_micros(1));
    store.read_hold(scope, last).await.unwrap();
    sut.environment.advance(Duration::from_micros(1));
    assert_eq!(code(store.pin(scope, last).await), Code::HoldExpired);
    assert_eq!(code(store.read_hold(scope, last).await), Code::HoldExpired);
}

/// A call frees at most the given number of holds of each event.
pub async fn expired_holds_of_every_event_are_freed<S: InventoryStore>(sut: Sut<S>) {
    let (store, one, other) = (&sut.store, loaded(&sut).await, loaded(&sut).await);
    for scope in [one, one, one, other] {
        store.hold(scope, request(&sut, vec![any_of_area(1)])).await.unwrap();
    }
    assert_eq!(store.free_expired_holds(100).await.unwrap(), 0);
    sut.environment.advance(TEN_MINUTES);
    assert_eq!(store.free_expired_holds(2).await.unwrap(), 3);
    assert_eq!(counts(&sut, one).await.held, 1);
    assert_eq!(counts(&sut, other).await.held, 0);
    assert_eq!(store.free_expired_holds(2).await.unwrap(), 1);
    assert_eq!(store.free_expired_holds(2).await.unwrap(), 0);
}

/// A round repeats the call until no expired hold is left.
pub async fn one_round_frees_a_thousand_expired_holds<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, new_scope(&sut));
    let area = AreaSpan { area: AreaId::from_uuid(uuid::Uuid::from_u128(1)), places: 0..1_000, seated: false };
    install_event(store, scope, Install { areas: vec![area], ..plan(1) }).await.unwrap();
    for _ in 0..1_000 {
        let one = vec![Pick::Any { range: 0..1_000, quantity: 1 }];
        store.hold(scope, request(&sut, one)).await.unwrap();
    }
    let free = async || store.snapshot(scope).await.unwrap().counts[0].free;
    assert_eq!((free_all_expired_holds(&**store).await.unwrap(), free().await), (0, 0));
    sut.environment.advance(TEN_MINUTES);
    assert_eq!((free_all_expired_holds(&**store).await.unwrap(), free().await), (1_000, 1_000));
}

/// The other 199 requests are refused and name the seat (P1).
pub async fn one_of_many_concurrent_holds_gets_a_seat<S: InventoryStore>(sut: Sut<S>) {
    let scope = loaded(&sut).await;
    let answers = run_concurrently(&sut, 200, |store, number| {
        let wanted = request(&sut, seats(&[number % 4, 7]));
        async move { store.hold(scope, wanted).await }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for answer in lost {
        let refused = refusal(answer);
        assert_eq!(refused.code, Code::PlaceTaken);
        assert!(refused.evidence.places.contains(&PlaceNumber(7)));
    }
    assert_eq!(counts(&sut, scope).await.held, 2);
}

/// An area of 100 places serves exactly 100, no place twice.
pub async fn general_admission_area_sells_out_exactly<S: InventoryStore>(sut: Sut<S>) {
    let scope = loaded(&sut).await;
    let answers = run_concurrently(&sut, 300, |store, number| {
        let wanted = request(&sut, vec![any_of_area(1 + number % 3)]);
        async move { store.hold(scope, wanted).await }
    })
    .await;
    let mut places = BTreeSet::new();
    for answer in answers {
        match answer {
            Ok(record) => assert!(numbers(&record).into_iter().all(|place| places.insert(place)), "held twice"),
            Err(InventoryError::Refused(refused)) => assert_eq!(refused.code, Code::SoldOut),
            Err(error) => panic!("{error}"),
        }
    }
    // Requests for one place are served until none is left.
    assert_eq!(places.len(), 100);
    assert_eq!(counts(&sut, scope).await.held, 100);
}
