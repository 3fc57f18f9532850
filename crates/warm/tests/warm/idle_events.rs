//! Checks that workers make no call for idle past events, and that they pass over unreadable entries. Calls are counted, not timed.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::analytics::ports::{CountStream, StepCounts};
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::scanning::ports::{Gate, NewScan, OfflineScanJournal};
use voelgoed_app::ticketing::ports::{AreaSpan, EventScope, Install, InventoryError, InventoryStore};
use voelgoed_contracts::sut::TestEnvironment;
use voelgoed_domain::ids::AreaId;
use voelgoed_domain::scanning::entry::Direction;
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::place::Epoch;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_testkit::redis::RedisServer;
use voelgoed_warm::memory::MemoryInventory;

use crate::node::StoreNode;

/// Past events without work.
const PAST_EVENTS: usize = 60;
/// Rounds of the workers' loops.
const ROUNDS: u64 = 20;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The number of calls of a command since the last reset.
async fn calls(server: &RedisServer, command: &str) -> u64 {
    let stats = server.execute(&["INFO", "commandstats"]).await.unwrap();
    let line = stats.lines().find_map(|line| line.trim().strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or(0)
}

/// One round of a worker's loops.
async fn round(node: &StoreNode) -> (usize, Vec<EventScope>, Vec<EventScope>) {
    let freed = node.store.free_expired_holds(100).await.unwrap();
    let scans = OfflineScanJournal::events(&node.store).await.unwrap();
    for scope in &scans {
        node.store.pending(*scope, None, None, 10).await.unwrap();
    }
    let counts = CountStream::events(&node.store).await.unwrap();
    for scope in &counts {
        let taken = node.store.take(*scope, Uuid::from_u128(1), 10, Duration::from_secs(1)).await.unwrap();
        let ids: Vec<String> = taken.into_iter().map(|taken| taken.id).collect();
        node.store.finish(*scope, &ids).await.unwrap();
    }
    (freed, scans, counts)
}

fn a_scan(node: &StoreNode) -> NewScan {
    let environment: &dyn Environment = &*node.environment;
    NewScan {
        id: new_id(environment),
        event: node.scope.event,
        ticket: Some(new_id(environment)),
        gate: Gate { id: new_id(environment), event: node.scope.event, name: "North".into(), areas: vec![] },
        device: new_id(environment),
        direction: Direction::Entry,
        scanned_at: environment.now(),
        received_at: environment.now(),
        forced: false,
        early: None,
        time: None,
        window: None,
        admissions: None,
    }
}

#[tokio::test]
async fn idle_platform_makes_no_calls_for_past_events() {
    let server = RedisServer::start(crate::shared_servers::directory()).await.unwrap();
    let mut node = StoreNode::new(&server.url());
    for _ in 0..PAST_EVENTS {
        node.scope = EventScope { organization: node.scope.organization, event: new_id(&*node.environment) };
        node.load(1).await;
        node.hold(1).await.unwrap();
        let counts = StepCounts { viewed: 1, held: 1, refused: 0 };
        node.store.append_counts(node.scope, node.environment.now(), counts).await.unwrap();
        let scan = a_scan(&node);
        node.store.decide_and_append(node.scope, scan.clone()).await.unwrap();
        node.store.remove_recorded(node.scope, &[scan.id]).await.unwrap();
    }
    node.environment.advance(DAY);
    let (freed, ..) = round(&node).await;
    assert_eq!(freed, PAST_EVENTS, "one expired hold each");
    let worker = node.neighbour();
    for _ in 0..3 {
        node.environment.advance(DAY);
        round(&node).await;
        round(&worker).await;
    }
    server.execute(&["CONFIG", "RESETSTAT"]).await.unwrap();
    for _ in 0..ROUNDS {
        assert_eq!(round(&node).await, (0, vec![], vec![]));
        assert_eq!(round(&worker).await, (0, vec![], vec![]));
    }
    assert_eq!(calls(&server, "fcall").await, 0, "no script for an event without work");
    assert_eq!(calls(&server, "scan").await, 0, "no scan of all keys");
    assert_eq!(
        calls(&server, "zrange").await,
        3 * 2 * ROUNDS,
        "one read of each list, regardless of the number of events"
    );
    let listed = server.execute(&["ZCARD", &node.list("holds")]).await.unwrap();
    assert_eq!(listed.trim(), "0", "the events were removed from the list");

    // A step on another node lists the event again, so the worker finds it.
    node.hold(2).await.unwrap();
    node.environment.advance(Duration::from_secs(700));
    assert_eq!(worker.store.free_expired_holds(100).await.unwrap(), 1);
    assert_eq!(calls(&server, "scan").await, 0);
}

#[tokio::test]
async fn memory_store_unloads_past_events_but_never_one_with_a_hold() {
    let environment = Arc::new(TestEnvironment::default());
    let store = MemoryInventory::new(Arc::clone(&environment) as _);
    let scope = || EventScope { organization: new_id(&*environment), event: new_id(&*environment) };
    let (past, held, current) = (scope(), scope(), scope());
    for scope in [past, held, current] {
        let lease = Uuid::from_u128(1);
        store.lease_rebuild(scope, lease, DAY).await.unwrap();
        let area = AreaSpan { area: AreaId::from_uuid(Uuid::from_u128(1)), places: 0..9, seated: true };
        let install = Install { epoch: Epoch(1), areas: vec![area], places: vec![], revoked: vec![], admitted: vec![] };
        store.install(scope, lease, install).await.unwrap();
    }
    environment.advance(DAY - Duration::from_secs(60));
    let request = HoldRequest {
        expected_version: 1,
        hold: new_id(&*environment),
        session: new_id(&*environment),
        picks: vec![Pick::Place(PlaceNumber(1))],
        terms: String::new(),
        lasts_millis: 3_600_000,
        places_per_session: 10,
        address: None,
        places_per_address: u32::MAX,
    };
    store.hold(held, request).await.unwrap();
    store.snapshot(current).await.unwrap();
    environment.advance(Duration::from_secs(120));
    store.free_expired_holds(100).await.unwrap();
    assert_eq!(store.loaded_events().await.unwrap().len(), 2, "an event unused for a day is unloaded");
    assert!(matches!(store.snapshot(past).await, Err(InventoryError::Unloaded)), "its next use loads it again");
    environment.advance(DAY);
    for _ in 0..3 {
        environment.advance(Duration::from_secs(120));
        store.free_expired_holds(100).await.unwrap();
    }
    assert!(store.loaded_events().await.unwrap().is_empty(), "the expired hold was freed first");
}

#[tokio::test]
async fn events_of_a_lost_list_are_found_by_a_scan() {
    let server = RedisServer::start(crate::shared_servers::directory()).await.unwrap();
    let node = StoreNode::new(&server.url());
    node.load(1).await;
    node.hold(1).await.unwrap();
    server.execute(&["DEL", &node.list("holds"), &node.list("scans"), &node.list("counts")]).await.unwrap();
    node.environment.advance(Duration::from_secs(700));
    assert_eq!(
        node.neighbour().store.free_expired_holds(100).await.unwrap(),
        1,
        "a worker scans all keys once at its start"
    );
}

#[tokio::test]
async fn unreadable_offline_scan_does_not_block_the_others() {
    let server = RedisServer::start(crate::shared_servers::directory()).await.unwrap();
    let node = StoreNode::new(&server.url());
    node.load(1).await;
    for (id, ticket, text) in [
        ("sixteen-bytes-0a", "sixteen-bytes-1a", "a_later_reason\n\n{}"),
        ("sixteen-bytes-0b", "sixteen-bytes-1b", "no lines"),
        ("sixteen-bytes-0c", "sixteen-bytes-1c", "\n\n{\"shape\": \"of a newer program\"}"),
    ] {
        server.execute(&["HSET", &node.key("kept"), id, &format!("{ticket}{text}")]).await.unwrap();
        server.execute(&["HSET", &node.key("kept_of"), ticket, id]).await.unwrap();
        server.execute(&["ZADD", &node.key("kept_at"), "0", id]).await.unwrap();
    }
    let scan = a_scan(&node);
    node.store.decide_and_append(node.scope, scan.clone()).await.unwrap();
    // The limit equals the number of unreadable scans: the first read moves them behind the others.
    assert!(node.store.pending(node.scope, None, None, 3).await.unwrap().is_empty());
    let pending = node.store.pending(node.scope, None, None, 3).await.unwrap();
    assert_eq!(pending.iter().map(|offline| offline.scan.id).collect::<Vec<_>>(), [scan.id]);
    node.store.remove_recorded(node.scope, &[scan.id]).await.unwrap();
    let left = server.execute(&["HLEN", &node.key("kept")]).await.unwrap();
    assert_eq!(left.trim(), "3", "they stay for a program version that can read them");
}

#[tokio::test]
async fn unreadable_count_does_not_block_the_others() {
    let server = RedisServer::start(crate::shared_servers::directory()).await.unwrap();
    let node = StoreNode::new(&server.url());
    node.load(1).await;
    let stream = node.key("counts");
    server
        .execute(&["XADD", &stream, "*", "minute", "soon", "viewed", "1", "held", "x", "refused", "0"])
        .await
        .unwrap();
    let counts = StepCounts { viewed: 4, held: 0, refused: 0 };
    node.store.append_counts(node.scope, node.environment.now(), counts).await.unwrap();
    let taken = node.store.take(node.scope, Uuid::from_u128(1), 10, Duration::from_secs(60)).await.unwrap();
    assert_eq!(taken.iter().map(|taken| taken.counts).collect::<Vec<_>>(), [counts]);
}
