//! A warm tier on Redis that is emptied, torn, restored, stopped, killed and failed over: what it says then, and that it serves again.
//!
//! Never: a broken server that another test uses. Each test has its own (P1, P4, P9).

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::error::Fault;
use voelgoed_app::ticketing::ports::{
    Answer, AreaSpan, CatchUp, EventScope, Install, InventoryError, InventoryStore, Lease,
};
use voelgoed_contracts::subject::TestEnvironment;
use voelgoed_domain::ids::AreaId;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest, Pick};
use voelgoed_domain::ticketing::place::{Epoch, PlaceNumber};
use voelgoed_testkit::redis::{RedisCluster, RedisServer};
use voelgoed_testkit::until::until;
use voelgoed_warm::redis::{Clock, RedisSettings, RedisWarm};

/// Recovery takes at most this.
const SOON: Duration = Duration::from_secs(20);

/// A node, its clock, and an event of its own.
pub struct Node {
    pub store: RedisWarm,
    pub environment: Arc<TestEnvironment>,
    pub scope: EventScope,
    settings: RedisSettings,
}

impl Node {
    pub fn new(url: &str) -> Self {
        let environment = Arc::new(TestEnvironment::default());
        let scope = EventScope { organization: fresh(&*environment), event: fresh(&*environment) };
        let settings = RedisSettings {
            clock: Clock::Environment,
            answer_within: Duration::from_secs(1),
            ..crate::servers::settings(url)
        };
        Self::of(settings, environment, scope)
    }

    fn of(settings: RedisSettings, environment: Arc<TestEnvironment>, scope: EventScope) -> Self {
        Self { store: RedisWarm::open(settings.clone(), Arc::clone(&environment) as _), environment, scope, settings }
    }

    /// Another node of the same installation, which has seen nothing yet.
    pub fn neighbour(&self) -> Self {
        Self::of(self.settings.clone(), Arc::clone(&self.environment), self.scope)
    }

    /// The same installation by another way to its server.
    pub fn at(&self, address: &str) -> Self {
        let settings = RedisSettings { addresses: vec![address.to_owned()], ..self.settings.clone() };
        Self::of(settings, Arc::clone(&self.environment), self.scope)
    }

    pub async fn load(&self, epoch: u64) {
        let lease = Uuid::from_u128(1);
        assert_eq!(self.store.lease_rebuild(self.scope, lease, SOON).await.unwrap(), Lease::Given);
        let area = AreaSpan { area: AreaId::from_uuid(Uuid::from_u128(1)), places: 0..100, seated: true };
        let install =
            Install { epoch: Epoch(epoch), areas: vec![area], places: vec![], revoked: vec![], admitted: vec![] };
        self.store.install(self.scope, lease, install).await.unwrap();
    }

    pub async fn hold(&self, place: u32) -> Answer<HoldRecord> {
        let request = HoldRequest {
            of_version: 1,
            address: None,
            places_per_address: u32::MAX,
            hold: fresh(&*self.environment),
            session: fresh(&*self.environment),
            picks: vec![Pick::Place(PlaceNumber(place))],
            terms: String::new(),
            lasts_millis: 600_000,
            places_per_session: 10,
        };
        self.store.hold(self.scope, request).await
    }

    /// A key of the event.
    pub fn key(&self, name: &str) -> String {
        let EventScope { organization, event } = self.scope;
        format!("{}:{{{}:{}}}:{name}", self.settings.prefix, organization.uuid().simple(), event.uuid().simple())
    }

    /// The list of events that may have something to do.
    pub fn list(&self, name: &str) -> String {
        format!("{}:active:{name}", self.settings.prefix)
    }

    async fn is_unloaded(&self) -> bool {
        matches!(self.store.snapshot(self.scope).await, Err(InventoryError::Unloaded))
    }

    async fn what_became_of(&self, record: &HoldRecord) -> Option<Code> {
        match self.store.read_hold(self.scope, record.hold).await {
            Ok(_) => None,
            Err(InventoryError::Refused(refusal)) => Some(refusal.code),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn serves_again(&self) {
        until("it answers", SOON, || async {
            Ok(match self.store.snapshot(self.scope).await {
                Err(InventoryError::Fault(_)) => None,
                _ => Some(()),
            })
        })
        .await
        .unwrap();
    }
}

fn is_away<T>(answer: &Answer<T>) -> bool {
    matches!(answer, Err(InventoryError::Fault(Fault::Away { .. } | Fault::Ambiguous { .. })))
}

async fn own_server() -> RedisServer {
    RedisServer::start(crate::servers::directory()).await.unwrap()
}

#[tokio::test]
async fn an_emptied_store_is_unloaded_until_rebuilt() {
    let server = own_server().await;
    let node = Node::new(&server.url());
    node.load(1).await;
    let lost = node.hold(1).await.unwrap();
    server.flush_all().await.unwrap();
    assert!(matches!(node.hold(2).await, Err(InventoryError::Unloaded)));
    node.environment.advance(Duration::from_secs(1));
    node.load(2).await;
    assert_eq!(node.what_became_of(&lost).await, Some(Code::HoldLost));
    node.hold(1).await.unwrap();
}

#[tokio::test]
async fn an_old_copy_does_not_serve_who_has_seen_more() {
    let server = own_server().await;
    let node = Node::new(&server.url());
    node.load(1).await;
    let keys = server.ask(&["KEYS", "*"]).await.unwrap();
    for key in keys.lines() {
        server.ask(&["COPY", key, &format!("{key}-old")]).await.unwrap();
    }
    let kept = node.hold(1).await.unwrap();
    for key in keys.lines() {
        server.ask(&["RENAME", &format!("{key}-old"), key]).await.unwrap();
    }
    server.ask(&["DEL", &node.key("holds"), &node.key("book")]).await.unwrap();
    assert!(node.is_unloaded().await);
    assert!(!node.neighbour().is_unloaded().await, "it is whole, only old");
    node.load(2).await;
    assert!(node.what_became_of(&kept).await.is_some());
}

#[tokio::test]
async fn a_restarted_server_is_noticed_by_whoever_asks() {
    let server = own_server().await;
    let node = Node::new(&server.url());
    node.load(1).await;
    let saved = node.hold(1).await.unwrap();
    server.save().await.unwrap();
    let forgotten = node.hold(2).await.unwrap();
    server.kill().unwrap();
    assert!(is_away(&node.hold(3).await));
    server.rise().await.unwrap();
    node.serves_again().await;
    assert!(node.is_unloaded().await);
    assert!(node.neighbour().is_unloaded().await, "also who has seen nothing of it");

    node.environment.advance(Duration::from_secs(1));
    node.load(2).await;
    assert_eq!(node.what_became_of(&saved).await, None);
    assert_eq!(node.what_became_of(&forgotten).await, Some(Code::HoldLost));
    node.hold(2).await.unwrap();
}

#[tokio::test]
async fn a_half_empty_store_is_no_store() {
    let server = own_server().await;
    let node = Node::new(&server.url());
    for (epoch, name) in (1..).zip(["places", "holds", "book", "meta"]) {
        node.load(epoch).await;
        node.hold(u32::try_from(epoch).unwrap()).await.unwrap();
        assert!(!node.is_unloaded().await);
        assert_eq!(server.ask(&["DEL", &node.key(name)]).await.unwrap(), "1");
        assert!(node.is_unloaded().await, "without {name}");
    }
    node.load(5).await;
    // Within a key too: the holder of a place is gone, something foreign came, places are missing.
    for (epoch, broken) in
        (6..).zip([["HDEL", "book", "1", ""], ["HSET", "book", "foreign", "1"], ["SETRANGE", "places", "500", "x"]])
    {
        node.hold(1).await.unwrap();
        let [command, name, field, value] = broken;
        let key = node.key(name);
        let parts = [command, &key, field, value];
        let parts = if value.is_empty() { &parts[..3] } else { &parts[..] };
        server.ask(parts).await.unwrap();
        assert!(node.is_unloaded().await, "after {command} {name}");
        node.load(epoch).await;
    }
    node.load(9).await;
    let snapshot = node.store.snapshot(node.scope).await.unwrap();
    assert_eq!(snapshot.counts[0].total(), 100);
}

#[tokio::test]
async fn a_step_that_breaks_off_unloads_its_event() {
    let server = own_server().await;
    let node = Node::new(&server.url());
    node.load(1).await;
    node.hold(1).await.unwrap();
    server.ask(&["DEL", &node.key("log")]).await.unwrap();
    server.ask(&["SET", &node.key("log"), "not a stream"]).await.unwrap();
    assert!(matches!(node.hold(2).await, Err(InventoryError::Fault(Fault::Internal(_)))));
    assert!(node.is_unloaded().await, "what the broken step left is not served");
    node.load(2).await;
    node.hold(2).await.unwrap();
}

#[tokio::test]
async fn a_forgotten_library_is_sent_again() {
    let server = own_server().await;
    let node = Node::new(&server.url());
    node.load(1).await;
    server.ask(&["FUNCTION", "FLUSH"]).await.unwrap();
    node.hold(1).await.unwrap();
}

#[tokio::test]
async fn a_stopped_server_is_away_and_comes_back_as_it_was() {
    let server = own_server().await;
    let node = Node::new(&server.url());
    node.load(1).await;
    let held = node.hold(1).await.unwrap();
    server.pause().unwrap();
    assert!(is_away(&node.hold(2).await));
    assert!(matches!(
        node.store.read_hold(node.scope, held.hold).await,
        Err(InventoryError::Fault(Fault::Away { .. }))
    ));
    server.resume().unwrap();
    node.serves_again().await;
    assert_eq!(node.what_became_of(&held).await, None, "the same process lost nothing");
}

#[tokio::test]
async fn a_node_hears_of_what_others_do() {
    let server = own_server().await;
    let one = Node::new(&server.url());
    one.load(1).await;
    let other = one.neighbour();
    let mut heard = other.store.subscribe();
    let before = other.store.snapshot(other.scope).await.unwrap().position;
    one.hold(7).await.unwrap();
    let moved = tokio::time::timeout(SOON, heard.recv()).await.unwrap().unwrap();
    assert_eq!((moved.scope, moved.position.seq), (one.scope, 1));
    let CatchUp::Changes(changes) = other.store.changes_since(other.scope, before).await.unwrap() else {
        panic!("one step is kept");
    };
    assert_eq!(changes[0].places[0].0, PlaceNumber(7));

    server.kill().unwrap();
    server.rise().await.unwrap();
    one.serves_again().await;
    one.load(2).await;
    other.serves_again().await;
    until("signals come again", SOON, || async {
        // Each read listens anew where the line was lost.
        let _ = other.store.snapshot(other.scope).await;
        let held = one.hold(8).await;
        Ok(held.is_ok().then_some(()))
    })
    .await
    .unwrap();
    loop {
        let moved = tokio::time::timeout(SOON, heard.recv()).await.unwrap().unwrap();
        if moved.position.epoch == Epoch(2) && moved.position.seq > 0 {
            break;
        }
    }
}

#[tokio::test]
async fn holds_lapse_by_the_servers_own_clock() {
    let server = own_server().await;
    let node = Node::new(&server.url());
    let settings = RedisSettings { clock: Clock::Server, ..node.settings.clone() };
    let node = Node::of(settings, Arc::clone(&node.environment), node.scope);
    node.load(1).await;
    let request = HoldRequest {
        of_version: 1,
        address: None,
        places_per_address: u32::MAX,
        hold: fresh(&*node.environment),
        session: fresh(&*node.environment),
        picks: vec![Pick::Place(PlaceNumber(0))],
        terms: String::new(),
        lasts_millis: 100,
        places_per_session: 1,
    };
    node.store.hold(node.scope, request).await.unwrap();
    until("it is swept", SOON, || async { Ok((node.store.sweep(100).await.unwrap() == 1).then_some(())) })
        .await
        .unwrap();
    node.hold(0).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_replica_is_unloaded_until_rebuilt() {
    let cluster = RedisCluster::start(crate::servers::directory()).await.unwrap();
    let node = Node::new(&cluster.url());
    node.load(1).await;
    let kept = node.hold(1).await.unwrap();
    let key = node.key("meta");
    let old = cluster.master_of(&key).await.unwrap();
    old.replicated().await.unwrap();
    old.kill().unwrap();
    assert!(is_away(&node.hold(2).await));
    cluster.failed_over(&key, old).await.unwrap();
    node.serves_again().await;
    assert!(node.is_unloaded().await);
    let neighbour = node.neighbour();
    neighbour.serves_again().await;
    assert!(neighbour.is_unloaded().await);

    node.environment.advance(Duration::from_secs(1));
    node.load(2).await;
    assert_eq!(node.what_became_of(&kept).await, None, "what the replica had stays");
    node.hold(2).await.unwrap();
    old.rise().await.unwrap();
    node.hold(3).await.unwrap();
    let now = node.environment.now();
    assert!(now < kept.expires_at);
}
