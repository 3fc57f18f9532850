//! Taking places, changing one's mind, running out of time.

use std::collections::BTreeSet;

use voelgoed_app::ticketing::sweep::sweep_round;

use super::*;

/// One place that is taken refuses the whole request, which then writes nothing.
pub async fn a_hold_is_all_or_nothing<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let wanted = request(&subject, [seats(&[3, 4]), vec![floor(2)]].concat());
    let now = voelgoed_app::environment::Environment::now(&*subject.environment);
    let record = store.hold(scope, wanted.clone()).await.unwrap();
    assert_eq!(numbers(&record), [3, 4, 20, 21]);
    assert_eq!(record.places.len(), 3, "a list per pick");
    assert_eq!((record.session, record.terms.as_str()), (wanted.session, wanted.terms.as_str()));
    assert_eq!((record.expires_at, record.epoch), (now.plus(TEN_MINUTES), Epoch(1)));

    let before = store.snapshot(scope).await.unwrap();
    let refusal = refusal(store.hold(scope, request(&subject, seats(&[2, 3, 4]))).await);
    assert_eq!(refusal.code, Code::PlaceTaken);
    assert_eq!(refusal.evidence.places, [PlaceNumber(3), PlaceNumber(4)]);
    let much = HoldRequest { places_per_session: 100, ..request(&subject, [seats(&[0]), vec![floor(99)]].concat()) };
    assert_eq!(code(store.hold(scope, much).await), Code::SoldOut);
    for nonsense in [vec![], seats(&[120]), seats(&[0, 0]), vec![floor(0)]] {
        assert_eq!(code(store.hold(scope, request(&subject, nonsense)).await), Code::InvalidRequest);
    }
    assert_eq!(store.snapshot(scope).await.unwrap(), before);
    assert_eq!(counts(&subject, scope).await.held, 4);
}

/// A repeated request is the first one; a stranger's is not.
pub async fn the_same_hold_again_answers_the_same<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let wanted = request(&subject, vec![floor(3)]);
    let first = store.hold(scope, wanted.clone()).await.unwrap();
    subject.environment.advance(Duration::from_secs(5));
    assert_eq!(store.hold(scope, wanted.clone()).await.unwrap(), first);
    assert_eq!(store.read_hold(scope, first.hold).await.unwrap(), first);
    assert_eq!(counts(&subject, scope).await.held, 3);
    let stranger = HoldRequest { session: someone(&subject).1, ..wanted };
    assert_eq!(code(store.hold(scope, stranger).await), Code::NotFound);
}

/// Limits count over all holds of a session, and name themselves.
pub async fn a_session_is_limited_over_all_its_holds<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let session = someone(&subject).1;
    let of_session = |quantity| HoldRequest { session, ..request(&subject, vec![floor(quantity)]) };
    let first = store.hold(scope, of_session(6)).await.unwrap();
    store.hold(scope, of_session(4)).await.unwrap();
    assert_eq!(store.held_by(scope, session).await.unwrap(), 10);
    let refused = refusal(store.hold(scope, of_session(1)).await);
    assert_eq!(refused.evidence.limit.unwrap().name, "places_per_session");
    store.release(scope, first.hold).await.unwrap();
    assert_eq!(store.held_by(scope, session).await.unwrap(), 4);
    store.hold(scope, of_session(1)).await.unwrap();
}

/// Places of all sessions of one client address count together; what is released, lapsed or ordered no longer counts.
pub async fn an_address_is_limited_over_all_its_sessions<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let [one, network] = ["10.0.0.1", "2001:db8:1:2::"].map(|text| text.parse().ok());
    let from =
        |address, quantity| HoldRequest { address, places_per_address: 12, ..request(&subject, vec![floor(quantity)]) };
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
    // A change counts for the address of its hold: it may not grow, and may shrink.
    let change = |record: &HoldRecord, quantity| HoldRequest {
        hold: record.hold,
        session: record.session,
        of_version: record.version,
        address: network,
        ..from(network, quantity)
    };
    let grown = refusal(store.change_hold(scope, change(&first, 7)).await);
    assert_eq!(grown.evidence.limit.unwrap().name, "places_per_address_max");
    let low = HoldRequest { places_per_address: 1, ..change(&first, 5) };
    let first = store.change_hold(scope, low).await.unwrap();
    store.hold(scope, from(one, 1)).await.unwrap();
    // Given back, lapsed, ordered.
    store.release(scope, second.hold).await.unwrap();
    store.hold(scope, from(one, 5)).await.unwrap();
    assert_eq!(code(store.hold(scope, from(one, 1)).await), Code::LimitReached);
    let order = fresh(&*subject.environment as &dyn Environment);
    let claims: Vec<_> = numbers(&first).into_iter().map(|place| effect(place, PlaceState::Claimed, 1)).collect();
    store.pin(scope, first.hold).await.unwrap();
    store.apply(scope, Some((first.hold, order)), &claims).await.unwrap();
    store.hold(scope, from(one, 5)).await.unwrap();
    assert_eq!(code(store.hold(scope, from(one, 1)).await), Code::LimitReached);
    subject.environment.advance(Duration::from_secs(5));
    // What survives a rebuild is counted anew.
    installed(store, scope, plan(2)).await.unwrap();
    assert_eq!(code(store.hold(scope, from(one, 10)).await), Code::LimitReached);
    store.release(scope, last.hold).await.unwrap();
    store.hold(scope, from(one, 1)).await.unwrap();
    assert_eq!(code(store.hold(scope, from(one, 1)).await), Code::LimitReached);
    subject.environment.advance(TEN_MINUTES);
    store.hold(scope, from(one, 10)).await.unwrap();
}

/// A change is all or nothing too, keeps the common places and the end, and is made once from each version.
pub async fn a_change_keeps_what_both_have<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let wanted = request(&subject, [seats(&[0, 1]), vec![floor(2)]].concat());
    let first = store.hold(scope, wanted.clone()).await.unwrap();
    store.hold(scope, request(&subject, seats(&[5]))).await.unwrap();
    subject.environment.advance(Duration::from_secs(60));

    let conflicting = HoldRequest { picks: seats(&[1, 5]), ..wanted.clone() };
    assert_eq!(code(store.change_hold(scope, conflicting).await), Code::PlaceTaken);
    assert_eq!(store.read_hold(scope, first.hold).await.unwrap(), first);

    let other = HoldRequest { picks: [seats(&[1, 2]), vec![floor(3)]].concat(), terms: "new".into(), ..wanted };
    let after = store.change_hold(scope, other.clone()).await.unwrap();
    assert_eq!((numbers(&after), after.terms.as_str()), (vec![1, 2, 20, 21, 22], "new"));
    assert_eq!(after.expires_at, first.expires_at);
    assert_eq!((first.version, after.version), (1, 2));
    assert_eq!(code(store.change_hold(scope, other.clone()).await), Code::HoldChanged);
    assert_eq!(store.read_hold(scope, first.hold).await.unwrap(), after);
    assert_eq!(look(&subject, scope, 0).await, Shown::Free);
    assert_eq!(store.held_by(scope, after.session).await.unwrap(), 5);
    let stranger = HoldRequest { session: someone(&subject).1, ..other.clone() };
    assert_eq!(code(store.change_hold(scope, stranger).await), Code::NotFound);
    let unknown = HoldRequest { hold: someone(&subject).0, ..other };
    assert_eq!(code(store.change_hold(scope, unknown).await), Code::HoldExpired);
}

/// Of many changes made from one version one is carried out, and the others are told.
pub async fn changes_of_one_version_exclude_each_other<S: InventoryStore>(subject: Subject<S>) {
    let scope = loaded(&subject).await;
    let wanted = request(&subject, seats(&[0]));
    subject.store.hold(scope, wanted.clone()).await.unwrap();
    let answers = race(&subject, 8, |store, number| {
        let change = HoldRequest { picks: seats(&[0, 1 + number]), ..wanted.clone() };
        async move { store.change_hold(scope, change).await }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|answer| code(answer) == Code::HoldChanged));
    assert_eq!(subject.store.read_hold(scope, wanted.hold).await.unwrap(), *won[0].as_ref().unwrap());
    assert_eq!(counts(&subject, scope).await.held, 2);
}

/// Newest first over all events, a bounded number, for a bounded time; sessions apart. The event need not be loaded.
pub async fn a_session_finds_the_holds_that_were_noted<S: InventoryStore>(subject: Subject<S>) {
    let (store, environment) = (&subject.store, &subject.environment);
    let (one, other) = (new_event(&subject), new_event(&subject));
    let ((first, session), (second, stranger)) = (someone(&subject), someone(&subject));
    assert_eq!(store.noted_holds(session).await.unwrap(), []);
    store.note_hold(session, one, first).await.unwrap();
    store.note_hold(stranger, one, second).await.unwrap();
    environment.advance(Duration::from_micros(1));
    store.note_hold(session, other, second).await.unwrap();
    assert_eq!(store.noted_holds(session).await.unwrap(), [(other, second), (one, first)]);
    environment.advance(Duration::from_micros(1));
    store.note_hold(session, one, first).await.unwrap();
    assert_eq!(store.noted_holds(session).await.unwrap(), [(one, first), (other, second)], "a repeat is the same note");
    for _ in 0..NOTED_HOLDS_MAX {
        environment.advance(Duration::from_micros(1));
        store.note_hold(session, one, someone(&subject).0).await.unwrap();
    }
    let noted = store.noted_holds(session).await.unwrap();
    assert_eq!((noted.len(), noted.contains(&(one, first))), (NOTED_HOLDS_MAX, false));
    assert_eq!(store.noted_holds(stranger).await.unwrap(), [(one, second)]);
    environment.advance(NOTED_HOLDS_KEPT);
    assert_eq!(store.noted_holds(session).await.unwrap(), []);
}

/// What is given back can be bought at once; giving it back again changes nothing.
pub async fn a_release_frees_once<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let first = store.hold(scope, request(&subject, seats(&[0]))).await.unwrap();
    store.release(scope, first.hold).await.unwrap();
    let second = store.hold(scope, request(&subject, seats(&[0]))).await.unwrap();
    store.release(scope, first.hold).await.unwrap();
    assert_eq!(store.read_hold(scope, second.hold).await.unwrap(), second);
    assert_eq!(code(store.read_hold(scope, first.hold).await), Code::HoldExpired);
}

/// A hold lives to the last microsecond, and no longer.
pub async fn holds_lapse_by_the_stores_clock<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let held = store.hold(scope, request(&subject, seats(&[0]))).await.unwrap();
    subject.environment.advance(TEN_MINUTES - Duration::from_micros(1));
    assert_eq!(code(store.hold(scope, request(&subject, seats(&[0]))).await), Code::PlaceTaken);
    subject.environment.advance(Duration::from_micros(1));
    assert_eq!(code(store.pin(scope, held.hold).await), Code::HoldExpired);
    store.hold(scope, request(&subject, seats(&[0]))).await.unwrap();
    assert_eq!(store.held_by(scope, held.session).await.unwrap(), 0);
}

/// More end at once than one step sweeps: what is left of them serves nobody from that very moment on.
pub async fn lapsed_holds_serve_nobody_before_they_are_swept<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let picks = (0..SEATS).map(|seat| seats(&[seat])).chain(std::iter::repeat_with(|| vec![floor(1)]));
    let mut held = Vec::new();
    for picks in picks.take(SWEPT_PER_STEP + 1) {
        held.push(store.hold(scope, request(&subject, picks)).await.unwrap().hold);
    }
    // They go in the order of their ids: the step that asks for the last one sweeps all others.
    let last = *held.iter().max().unwrap();
    subject.environment.advance(TEN_MINUTES - Duration::from_micros(1));
    store.read_hold(scope, last).await.unwrap();
    subject.environment.advance(Duration::from_micros(1));
    assert_eq!(code(store.pin(scope, last).await), Code::HoldExpired);
    assert_eq!(code(store.read_hold(scope, last).await), Code::HoldExpired);
}

/// One sweep serves every event, at most so many holds of each.
pub async fn a_sweep_frees_lapsed_holds_of_every_event<S: InventoryStore>(subject: Subject<S>) {
    let (store, one, other) = (&subject.store, loaded(&subject).await, loaded(&subject).await);
    for scope in [one, one, one, other] {
        store.hold(scope, request(&subject, vec![floor(1)])).await.unwrap();
    }
    assert_eq!(store.sweep(100).await.unwrap(), 0);
    subject.environment.advance(TEN_MINUTES);
    assert_eq!(store.sweep(2).await.unwrap(), 3);
    assert_eq!(counts(&subject, one).await.held, 1);
    assert_eq!(counts(&subject, other).await.held, 0);
    assert_eq!(store.sweep(2).await.unwrap(), 1);
    assert_eq!(store.sweep(2).await.unwrap(), 0);
}

/// However many lapse together, one round frees them all.
pub async fn a_thousand_lapsed_holds_go_in_one_round<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, new_event(&subject));
    let area = AreaSpan { area: AreaId::from_uuid(uuid::Uuid::from_u128(1)), places: 0..1_000, seated: false };
    installed(store, scope, Install { areas: vec![area], ..plan(1) }).await.unwrap();
    for _ in 0..1_000 {
        let one = vec![Pick::Any { range: 0..1_000, quantity: 1 }];
        store.hold(scope, request(&subject, one)).await.unwrap();
    }
    let free = async || store.snapshot(scope).await.unwrap().counts[0].free;
    assert_eq!((sweep_round(&**store).await.unwrap(), free().await), (0, 0));
    subject.environment.advance(TEN_MINUTES);
    assert_eq!((sweep_round(&**store).await.unwrap(), free().await), (1_000, 1_000));
}

/// However many ask for a seat at once, one gets it and the others are told which it was.
pub async fn a_seat_has_one_winner<S: InventoryStore>(subject: Subject<S>) {
    let scope = loaded(&subject).await;
    let answers = race(&subject, 200, |store, number| {
        let wanted = request(&subject, seats(&[number % 4, 7]));
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
    assert_eq!(counts(&subject, scope).await.held, 2);
}

/// An area of a hundred serves exactly a hundred, no place twice.
pub async fn a_floor_sells_out_exactly<S: InventoryStore>(subject: Subject<S>) {
    let scope = loaded(&subject).await;
    let answers = race(&subject, 300, |store, number| {
        let wanted = request(&subject, vec![floor(1 + number % 3)]);
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
    // Who wants one is served as long as there is one.
    assert_eq!(places.len(), 100);
    assert_eq!(counts(&subject, scope).await.held, 100);
}
