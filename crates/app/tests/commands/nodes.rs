//! Covers what a node knows of the others: the members that it last read, and the viewers of an event on all of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::environment::{Environment as _, new_id};
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::nodes::members::{KnownNodes, Members};
use voelgoed_app::nodes::ports::{MemberNode, Presence};
use voelgoed_app::nodes::presence::{REPORT_TTL, ViewerCounts, exchange_viewer_counts};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_testkit::platform::TestPlatform;

#[tokio::test]
async fn members_are_those_of_the_last_read() {
    let shop = TestPlatform::open().await;
    let members = Members::default();
    let reader = members.clone();
    assert_eq!(reader.known(), KnownNodes { nodes: Arc::from([]), at: None });
    let at = shop.environment.now();
    let node = MemberNode {
        id: shop.environment.uuid(),
        role: "web".into(),
        address: "192.0.2.1:80".into(),
        version: "1".into(),
        started_at: at,
    };
    members.update(vec![node.clone()], at);
    assert_eq!(reader.known(), KnownNodes { nodes: Arc::from([node]), at: Some(at) });
}

/// The viewers of this node, and what it applies of the others.
struct Viewers {
    local: Vec<(EventScope, u32)>,
    remote: Mutex<Vec<(EventScope, u64)>>,
}

impl ViewerCounts for Viewers {
    fn local_viewers(&self) -> Vec<(EventScope, u32)> {
        self.local.clone()
    }

    fn set_remote_viewers(&self, scope: EventScope, viewers: u64) {
        self.remote.lock().unwrap().push((scope, viewers));
    }
}

/// A warm tier that fails for one event.
struct FaultyPresence(Arc<dyn Presence>, EventScope);

#[async_trait]
impl Presence for FaultyPresence {
    async fn report(&self, scope: EventScope, node: Uuid, viewers: u32, lasts: Duration) -> StoreResult<u64> {
        if scope == self.1 {
            return Err(Fault::unavailable(Dependency::Warm, "no connection"));
        }
        self.0.report(scope, node, viewers, lasts).await
    }
}

#[tokio::test]
async fn viewers_of_other_nodes_are_counted_until_their_report_expires() {
    let shop = TestPlatform::open().await;
    let presence: Arc<dyn Presence> = shop.warm.clone();
    let viewers = |local| Viewers { local: vec![(shop.scope, local)], remote: Mutex::default() };
    let (one, two) = (viewers(3), viewers(5));
    let (first, second) = (shop.environment.uuid(), shop.environment.uuid());
    exchange_viewer_counts(&presence, first, &one).await.unwrap();
    exchange_viewer_counts(&presence, second, &two).await.unwrap();
    shop.environment.advance(REPORT_TTL - Duration::from_micros(1));
    exchange_viewer_counts(&presence, first, &one).await.unwrap();
    shop.environment.advance(Duration::from_micros(1));
    exchange_viewer_counts(&presence, first, &one).await.unwrap();
    let remote = |viewers: &Viewers| viewers.remote.lock().unwrap().iter().map(|(_, it)| *it).collect::<Vec<_>>();
    assert_eq!((remote(&one), remote(&two)), (vec![0, 5, 0], vec![3]));
}

#[tokio::test]
async fn fault_of_one_event_does_not_stop_the_exchange_of_the_others() {
    let shop = TestPlatform::open().await;
    let broken = EventScope { event: new_id(&*shop.environment), ..shop.scope };
    let presence: Arc<dyn Presence> = Arc::new(FaultyPresence(shop.warm.clone(), broken));
    let viewers = Viewers { local: vec![(broken, 1), (shop.scope, 2)], remote: Mutex::default() };
    let exchanged = exchange_viewer_counts(&presence, shop.environment.uuid(), &viewers).await;
    assert!(exchanged.is_err());
    assert_eq!(*viewers.remote.lock().unwrap(), [(shop.scope, 0)]);
}
