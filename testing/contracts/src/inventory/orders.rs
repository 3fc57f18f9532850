//! From a hold to an order: pinned, claimed, or taken back.

use voelgoed_app::environment::Environment as _;
use voelgoed_domain::ids::OrderId;
use voelgoed_domain::ticketing::hold::HoldPhase;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn new_order<S>(subject: &Subject<S>) -> OrderId {
    OrderId::from_uuid(subject.environment.uuid())
}

/// A pin leaves the hold's end, outlives it by at most a minute, and may be repeated.
pub async fn a_pin_keeps_a_hold_and_lapses_by_itself<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let held = store.hold(scope, request(&subject, seats(&[0]))).await.unwrap();
    let now = subject.environment.advance(TEN_MINUTES - 3 * MINUTE);
    let pinned = store.pin(scope, held.hold).await.unwrap();
    assert_eq!(pinned.phase, HoldPhase::Pinned { until: now.plus(MINUTE) });
    assert_eq!(pinned.expires_at, held.expires_at, "a refused order leaves the hold as it was");
    let again = store.pin(scope, held.hold).await.unwrap();
    assert_eq!(again, pinned);
    subject.environment.advance(MINUTE);
    let active = store.read_hold(scope, held.hold).await.unwrap();
    assert_eq!((active.phase, active.expires_at), (HoldPhase::Active, pinned.expires_at));

    subject.environment.advance(2 * MINUTE - Duration::from_secs(1));
    store.pin(scope, held.hold).await.unwrap();
    subject.environment.advance(Duration::from_secs(59));
    store.sweep(100).await.unwrap();
    assert_eq!(look(&subject, scope, 0).await, Shown::Held, "pinned over its end");
    subject.environment.advance(Duration::from_secs(1));
    store.sweep(100).await.unwrap();
    assert_eq!(look(&subject, scope, 0).await, Shown::Free, "a node that died keeps nobody's places");
}

/// While pinned a hold stays as it is; after that its buyer may go on.
pub async fn an_unpinned_hold_may_be_changed_again<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let wanted = request(&subject, seats(&[0]));
    let held = store.hold(scope, wanted.clone()).await.unwrap();
    store.pin(scope, held.hold).await.unwrap();
    let other = HoldRequest { picks: seats(&[1]), ..wanted };
    assert_eq!(code(store.change_hold(scope, other.clone()).await), Code::AlreadyOrdered);
    assert_eq!(code(store.release(scope, held.hold).await), Code::AlreadyOrdered);
    store.unpin(scope, held.hold).await.unwrap();
    store.unpin(scope, held.hold).await.unwrap();
    store.change_hold(scope, other).await.unwrap();
    store.release(scope, held.hold).await.unwrap();
    store.unpin(scope, held.hold).await.unwrap();
}

/// No end of a hold and no sweep frees what cold claimed by it.
pub async fn what_became_an_order_is_out_of_reach<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let held = store.hold(scope, request(&subject, seats(&[0, 1]))).await.unwrap();
    let order = new_order(&subject);
    store.pin(scope, held.hold).await.unwrap();
    let claims = [effect(0, PlaceState::Claimed, 1), effect(1, PlaceState::Claimed, 1)];
    store.apply(scope, Some((held.hold, order)), &claims).await.unwrap();
    assert_eq!(store.read_hold(scope, held.hold).await.unwrap().phase, HoldPhase::Claimed { order });
    for refused in [
        refusal(store.pin(scope, held.hold).await),
        refusal(store.release(scope, held.hold).await),
        refusal(
            store
                .change_hold(
                    scope,
                    HoldRequest { hold: held.hold, session: held.session, ..request(&subject, seats(&[2])) },
                )
                .await,
        ),
    ] {
        assert_eq!((refused.code, refused.evidence.order), (Code::AlreadyOrdered, Some(order)));
    }
    store.unpin(scope, held.hold).await.unwrap();
    assert_eq!(store.held_by(scope, held.session).await.unwrap(), 0, "an order is no hold");
    subject.environment.advance(2 * TEN_MINUTES);
    store.sweep(100).await.unwrap();
    assert_eq!(counts(&subject, scope).await.held, 2);
    store.apply(scope, None, &[effect(0, PlaceState::Sold, 2), effect(1, PlaceState::Free, 2)]).await.unwrap();
    let now = counts(&subject, scope).await;
    assert_eq!((now.held, now.sold, now.free), (0, 1, PLACES - 1));
}

/// Cold's decision goes over a hold; the buyer learns which places at the pin and may take others.
pub async fn what_cold_gave_to_another_is_missed_at_the_pin<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let wanted = request(&subject, vec![floor(3)]);
    let held = store.hold(scope, wanted.clone()).await.unwrap();
    assert_eq!(numbers(&held), [20, 21, 22]);
    store.apply(scope, None, &[effect(21, PlaceState::Blocked, 1)]).await.unwrap();
    let refused = refusal(store.pin(scope, held.hold).await);
    assert_eq!((refused.code, refused.evidence.places), (Code::PlaceTaken, vec![PlaceNumber(21)]));
    let changed = store.change_hold(scope, wanted).await.unwrap();
    assert_eq!(numbers(&changed), [20, 22, 23], "another of the area");
    store.pin(scope, held.hold).await.unwrap();
    assert_eq!(look(&subject, scope, 21).await, Shown::Blocked);
}
