//! Checks the guarded store when the server makes a change but the reply is lost (P8, P9).

use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::error::Fault;
use voelgoed_app::ticketing::ports::{InventoryError, InventoryStore as _};
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_resilience::Capabilities;
use voelgoed_testkit::proxy::{LinkFault, Proxy};
use voelgoed_testkit::redis::RedisServer;
use voelgoed_testkit::until::until;
use voelgoed_warm::guarded::GuardedWarm;

use crate::node::StoreNode;

/// Long enough that the request arrives but its reply misses the timeout of 1 s.
const LINK_DELAY: Duration = Duration::from_millis(750);
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn change_whose_reply_is_lost_is_made_once_and_can_be_read() {
    let server = RedisServer::start(crate::shared_servers::directory()).await.unwrap();
    let node = StoreNode::new(&server.url());
    node.load(1).await;
    let held = node.hold(1).await.unwrap();
    let proxy = Proxy::start(&server.address()).await.unwrap();
    let guarded = GuardedWarm::new(Arc::new(node.at(proxy.address()).store), Capabilities::new(), 1);
    // Opens the connection before the delay begins.
    guarded.read_hold(node.scope, held.hold).await.unwrap();

    let change = HoldRequest {
        hold: held.hold,
        session: held.session,
        picks: [1, 2].map(|place| Pick::Place(PlaceNumber(place))).to_vec(),
        terms: "changed".to_owned(),
        lasts_millis: 0,
        places_per_session: 10,
        expected_version: held.version,
        address: None,
        places_per_address: u32::MAX,
    };
    proxy.set_fault(LinkFault::Delay(LINK_DELAY));
    let heal = async {
        let is_made = || async {
            let read = node.store.read_hold(node.scope, held.hold).await;
            Ok(read.is_ok_and(|read| read.version == held.version + 1).then_some(()))
        };
        until("the change is made", RECOVERY_TIMEOUT, is_made).await.unwrap();
        // This read takes longer than the lost reply, so that removing the delay cannot deliver that reply in time.
        let _slow_read = node.at(proxy.address()).store.read_hold(node.scope, held.hold).await;
        // A retry would be refused as `hold_changed` from now on, because of its own first attempt.
        proxy.set_fault(LinkFault::None);
    };
    let (answer, ()) = tokio::join!(guarded.change_hold(node.scope, change.clone()), heal);
    assert!(matches!(answer, Err(InventoryError::Fault(Fault::Ambiguous { .. }))), "{answer:?}");

    let read = guarded.read_hold(node.scope, held.hold).await.unwrap();
    assert_eq!((read.version, read.terms.as_str()), (held.version + 1, "changed"));
    assert_eq!(read.places.concat(), [PlaceNumber(1), PlaceNumber(2)]);
    assert_eq!(guarded.held_by(node.scope, held.session).await.unwrap(), 2);
    let again = guarded.change_hold(node.scope, change).await;
    assert!(matches!(&again, Err(InventoryError::Refused(refusal)) if refusal.code == Code::HoldChanged), "{again:?}");
    assert_eq!(guarded.read_hold(node.scope, held.hold).await.unwrap(), read);
}
