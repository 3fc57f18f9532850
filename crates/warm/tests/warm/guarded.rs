//! What stands before the store, where the store does what it is asked and its answer is lost (P8, P9).

use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::error::Fault;
use voelgoed_app::ticketing::ports::{InventoryError, InventoryStore as _};
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_resilience::Capabilities;
use voelgoed_testkit::proxy::{Proxy, Weather};
use voelgoed_testkit::redis::RedisServer;
use voelgoed_testkit::until::until;
use voelgoed_warm::guarded::Guarded;

use crate::broken::Node;

/// There is time for the way to the store, not for both ways: its answer is waited for 1 s.
const LATE: Duration = Duration::from_millis(750);
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_made_once_and_can_be_read() {
    let server = RedisServer::start(crate::servers::directory()).await.unwrap();
    let node = Node::new(&server.url());
    node.load(1).await;
    let held = node.hold(1).await.unwrap();
    let proxy = Proxy::start(&server.address()).await.unwrap();
    let guarded = Guarded::new(Arc::new(node.at(proxy.address()).store), Capabilities::new(), 1);
    // So that the connection is there, and the change needs one way only.
    guarded.read_hold(node.scope, held.hold).await.unwrap();

    let change = HoldRequest {
        hold: held.hold,
        session: held.session,
        picks: [1, 2].map(|place| Pick::Place(PlaceNumber(place))).to_vec(),
        terms: "changed".to_owned(),
        lasts_millis: 0,
        places_per_session: 10,
        of_version: held.version,
        address: None,
        places_per_address: u32::MAX,
    };
    proxy.set(Weather::Slow(LATE));
    let mended = async {
        let is_made = || async {
            let read = node.store.read_hold(node.scope, held.hold).await;
            Ok(read.is_ok_and(|read| read.version == held.version + 1).then_some(()))
        };
        until("the change is made", SOON, is_made).await.unwrap();
        // A look by the slow way takes longer than the answer needs to be on it, where fair weather no longer helps it.
        let _late = node.at(proxy.address()).store.read_hold(node.scope, held.hold).await;
        // Whoever asked a second time would be answered from now on: `hold_changed`, by their own first try.
        proxy.set(Weather::Fair);
    };
    let (answer, ()) = tokio::join!(guarded.change_hold(node.scope, change.clone()), mended);
    assert!(matches!(answer, Err(InventoryError::Fault(Fault::Ambiguous { .. }))), "{answer:?}");

    let read = guarded.read_hold(node.scope, held.hold).await.unwrap();
    assert_eq!((read.version, read.terms.as_str()), (held.version + 1, "changed"));
    assert_eq!(read.places.concat(), [PlaceNumber(1), PlaceNumber(2)]);
    assert_eq!(guarded.held_by(node.scope, held.session).await.unwrap(), 2);
    let again = guarded.change_hold(node.scope, change).await;
    assert!(matches!(&again, Err(InventoryError::Refused(refusal)) if refusal.code == Code::HoldChanged), "{again:?}");
    assert_eq!(guarded.read_hold(node.scope, held.hold).await.unwrap(), read);
}
