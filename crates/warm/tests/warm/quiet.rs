//! What a quiet platform asks of its server: calls are counted, not timed. Many events have been sold and are over; nothing is left to do in them.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::analytics::ports::{CountStream, Counts};
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::scanning::ports::{Gate, NewScan, OfflineScanJournal};
use voelgoed_app::ticketing::ports::{AreaSpan, EventScope, Install, InventoryError, InventoryStore};
use voelgoed_contracts::subject::TestEnvironment;
use voelgoed_domain::ids::AreaId;
use voelgoed_domain::scanning::entry::Direction;
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::place::{Epoch, PlaceNumber};
use voelgoed_testkit::redis::RedisServer;
use voelgoed_warm::memory::MemoryInventory;

use crate::broken::Node;

/// Events that are over.
const PAST: usize = 60;
/// Rounds of the workers' loops.
const ROUNDS: u64 = 20;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How often the server was asked each command since the last reset.
async fn calls(server: &RedisServer, command: &str) -> u64 {
    let stats = server.ask(&["INFO", "commandstats"]).await.unwrap();
    let line = stats.lines().find_map(|line| line.trim().strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or(0)
}

/// What a worker's loops ask for in one round.
async fn round(node: &Node) -> (usize, Vec<EventScope>, Vec<EventScope>) {
    let swept = node.store.sweep(100).await.unwrap();
    let scans = OfflineScanJournal::events(&node.store).await.unwrap();
    for scope in &scans {
        node.store.kept(*scope, None, 10).await.unwrap();
    }
    let counts = CountStream::events(&node.store).await.unwrap();
    for scope in &counts {
        let taken = node.store.take(*scope, Uuid::from_u128(1), 10, Duration::from_secs(1)).await.unwrap();
        let ids: Vec<String> = taken.into_iter().map(|taken| taken.id).collect();
        node.store.finish(*scope, &ids).await.unwrap();
    }
    (swept, scans, counts)
}

fn a_scan(node: &Node) -> NewScan {
    let environment: &dyn Environment = &*node.environment;
    NewScan {
        id: fresh(environment),
        event: node.scope.event,
        ticket: Some(fresh(environment)),
        gate: Gate { id: fresh(environment), event: node.scope.event, name: "North".into(), areas: vec![] },
        device: fresh(environment),
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
async fn past_events_cost_a_quiet_platform_no_script_and_no_scan_of_keys() {
    let server = RedisServer::start(crate::servers::directory()).await.unwrap();
    let mut node = Node::new(&server.url());
    for _ in 0..PAST {
        node.scope = EventScope { organization: node.scope.organization, event: fresh(&*node.environment) };
        node.load(1).await;
        node.hold(1).await.unwrap();
        let counts = Counts { viewed: 1, held: 1, refused: 0 };
        node.store.append(node.scope, node.environment.now(), counts).await.unwrap();
        let scan = a_scan(&node);
        node.store.keep(node.scope, scan.clone()).await.unwrap();
        node.store.settle(node.scope, &[scan.id]).await.unwrap();
    }
    node.environment.advance(DAY);
    let (swept, ..) = round(&node).await;
    assert_eq!(swept, PAST, "one lapsed hold each");
    let worker = node.neighbour();
    for _ in 0..3 {
        node.environment.advance(DAY);
        round(&node).await;
        round(&worker).await;
    }
    server.ask(&["CONFIG", "RESETSTAT"]).await.unwrap();
    for _ in 0..ROUNDS {
        assert_eq!(round(&node).await, (0, vec![], vec![]));
        assert_eq!(round(&worker).await, (0, vec![], vec![]));
    }
    assert_eq!(calls(&server, "fcall").await, 0, "no script for an event in which nothing is left to do");
    assert_eq!(calls(&server, "scan").await, 0, "no scan of all keys");
    assert_eq!(calls(&server, "zrange").await, 3 * 2 * ROUNDS, "one look at each list, however many events there were");
    let listed = server.ask(&["ZCARD", &node.list("holds")]).await.unwrap();
    assert_eq!(listed.trim(), "0", "they are off the list");

    // One of them comes to life on another node: the worker finds it by its list.
    node.hold(2).await.unwrap();
    node.environment.advance(Duration::from_secs(700));
    assert_eq!(worker.store.sweep(100).await.unwrap(), 1);
    assert_eq!(calls(&server, "scan").await, 0);
}

#[tokio::test]
async fn memory_lets_go_of_past_events_and_of_nothing_that_it_alone_knows() {
    let environment = Arc::new(TestEnvironment::default());
    let store = MemoryInventory::new(Arc::clone(&environment) as _);
    let scope = || EventScope { organization: fresh(&*environment), event: fresh(&*environment) };
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
        of_version: 1,
        hold: fresh(&*environment),
        session: fresh(&*environment),
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
    store.sweep(100).await.unwrap();
    assert_eq!(store.loaded().await.unwrap().len(), 2, "the one that nobody used for a day is unloaded");
    assert!(matches!(store.snapshot(past).await, Err(InventoryError::Unloaded)), "whoever uses it has it loaded again");
    environment.advance(DAY);
    for _ in 0..3 {
        environment.advance(Duration::from_secs(120));
        store.sweep(100).await.unwrap();
    }
    assert!(store.loaded().await.unwrap().is_empty(), "the lapsed hold was swept first");
}

#[tokio::test]
async fn events_are_found_again_where_a_list_was_lost() {
    let server = RedisServer::start(crate::servers::directory()).await.unwrap();
    let node = Node::new(&server.url());
    node.load(1).await;
    node.hold(1).await.unwrap();
    server.ask(&["DEL", &node.list("holds"), &node.list("scans"), &node.list("counts")]).await.unwrap();
    node.environment.advance(Duration::from_secs(700));
    assert_eq!(node.neighbour().store.sweep(100).await.unwrap(), 1, "a worker that starts looks at all keys once");
}

#[tokio::test]
async fn kept_scan_that_cannot_be_read_does_not_hold_up_the_others() {
    let server = RedisServer::start(crate::servers::directory()).await.unwrap();
    let node = Node::new(&server.url());
    node.load(1).await;
    for (id, ticket, text) in [
        ("sixteen-bytes-0a", "sixteen-bytes-1a", "a_later_reason\n\n{}"),
        ("sixteen-bytes-0b", "sixteen-bytes-1b", "no lines"),
        ("sixteen-bytes-0c", "sixteen-bytes-1c", "\n\n{\"shape\": \"of a newer program\"}"),
    ] {
        server.ask(&["HSET", &node.key("kept"), id, &format!("{ticket}{text}")]).await.unwrap();
        server.ask(&["HSET", &node.key("kept_of"), ticket, id]).await.unwrap();
        server.ask(&["ZADD", &node.key("kept_at"), "0", id]).await.unwrap();
    }
    let scan = a_scan(&node);
    node.store.keep(node.scope, scan.clone()).await.unwrap();
    // Fewer at once than cannot be read: the first look moves them behind the others.
    assert!(node.store.kept(node.scope, None, 3).await.unwrap().is_empty());
    let kept = node.store.kept(node.scope, None, 3).await.unwrap();
    assert_eq!(kept.iter().map(|kept| kept.scan.id).collect::<Vec<_>>(), [scan.id]);
    node.store.settle(node.scope, &[scan.id]).await.unwrap();
    let left = server.ask(&["HLEN", &node.key("kept")]).await.unwrap();
    assert_eq!(left.trim(), "3", "they are kept for a program that reads them");
}

#[tokio::test]
async fn count_that_cannot_be_read_does_not_hold_up_the_others() {
    let server = RedisServer::start(crate::servers::directory()).await.unwrap();
    let node = Node::new(&server.url());
    node.load(1).await;
    let stream = node.key("counts");
    server.ask(&["XADD", &stream, "*", "minute", "soon", "viewed", "1", "held", "x", "refused", "0"]).await.unwrap();
    let counts = Counts { viewed: 4, held: 0, refused: 0 };
    node.store.append(node.scope, node.environment.now(), counts).await.unwrap();
    let taken = node.store.take(node.scope, Uuid::from_u128(1), 10, Duration::from_secs(60)).await.unwrap();
    assert_eq!(taken.iter().map(|taken| taken.counts).collect::<Vec<_>>(), [counts]);
}
