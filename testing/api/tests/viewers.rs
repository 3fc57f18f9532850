//! Cuts off a viewer again and again, and checks that it sees the same map as a steady viewer and as the server (P4, P10).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use voelgoed_api_tests::is_long;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::settled_map::read_settled_map;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::seat_map::{ResumeBy, SeatMap, SeatMapStream};
use voelgoed_testkit::server::TestServer;

/// Disconnections of the viewer in the short and in the full run.
const CUTS: (u32, u32) = (60, 1_000);
const CONNECTION_MILLIS_MAX: u64 = 120;
/// For a viewer to see the last change.
const VIEWER_TIMEOUT: Duration = Duration::from_secs(20);
/// The seats of the hall; they come before the places without seats.
const SEATS: usize = 80;

/// Holds, releases and orders places until stopped; returns how many.
async fn trade(
    server: Arc<TestServer>,
    tenant: Arc<TestTenant>,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<(u32, u32, u32)> {
    let (mut held, mut released, mut sold) = (0, 0, 0);
    let mut random = StdRng::seed_from_u64(7);
    while !stop.load(Ordering::Relaxed) {
        let seated = random.random_range(0..3) > 0;
        let body = if seated {
            tenant.seats(1 + random.random_range(0..3))
        } else {
            serde_json::json!({"items": [{"area": tenant.standing, "quantity": 2, "ticket_type": tenant.ticket_type}]})
        };
        let path = format!("/api/v1/events/{}/holds", tenant.event);
        let answer = server.send(server.request("POST", &path).json(&body)).await?;
        anyhow::ensure!(matches!(answer.status, 201 | 409), "{} {}", answer.status, answer.body);
        if answer.status == 409 {
            continue;
        }
        held += 1;
        let hold = answer.json();
        let hold =
            (hold["id"].as_str().unwrap_or_default().to_owned(), hold["token"].as_str().unwrap_or_default().to_owned());
        // Few purchases, so that places are on sale until the end.
        if random.random_range(0..40) == 0 {
            tenant.order(&server, &hold).await?;
            sold += 1;
        } else {
            let request = server.request("DELETE", &format!("/api/v1/holds/{}", hold.0)).header("X-Token", &hold.1);
            let answer = server.send(request).await?;
            anyhow::ensure!(answer.status == 204, "{} {}", answer.status, answer.body);
            released += 1;
        }
    }
    Ok((held, released, sold))
}

/// Reads until the map is at `position`.
async fn read_until(connection: &mut SeatMapStream, map: &mut SeatMap, position: &str) -> anyhow::Result<()> {
    let read = async {
        while map.position != position {
            connection.next(map).await?;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(VIEWER_TIMEOUT, read)
        .await
        .with_context(|| format!("a viewer reached {} and not {position}", map.position))?
}

/// Reads with one connection after the other, each cut off at random; returns how many snapshots and deltas came.
async fn watch_and_be_cut_off(
    server: &TestServer,
    tenant: &TestTenant,
    map: &mut SeatMap,
    cuts: u32,
) -> anyhow::Result<(u32, u32)> {
    let mut random = StdRng::seed_from_u64(11);
    let (mut snapshots, mut deltas) = (0, 0);
    for cut in 0..cuts {
        let resume = if cut % 2 == 0 { ResumeBy::LastEventId } else { ResumeBy::Since };
        let mut connection = SeatMapStream::open(server.client(), &tenant.event, map, resume).await?;
        // Cut off at any point: a frame that was not read completely counts as not received.
        let duration = Duration::from_millis(1 + random.random_range(0..CONNECTION_MILLIS_MAX));
        let reading = async {
            loop {
                connection.next(map).await?;
            }
        };
        if let Ok(Err::<(), anyhow::Error>(error)) = tokio::time::timeout(duration, reading).await {
            return Err(error);
        }
        snapshots += connection.snapshots;
        deltas += connection.deltas;
    }
    Ok((snapshots, deltas))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn viewer_that_is_cut_off_at_random_sees_the_same_map() -> anyhow::Result<()> {
    let server = Arc::new(start_server(UNLIMITED).await?);
    let tenant = Arc::new(TestTenant::make(&server, "hall").await?);
    let stop = Arc::new(AtomicBool::new(false));
    let (position, mut last) = tokio::sync::watch::channel(String::new());
    let steady = tokio::spawn({
        let (server, tenant) = (Arc::clone(&server), Arc::clone(&tenant));
        async move {
            let mut map = SeatMap::default();
            let mut connection = SeatMapStream::open(server.client(), &tenant.event, &map, ResumeBy::Since).await?;
            loop {
                tokio::select! {
                    read = connection.next(&mut map) => drop(read?),
                    changed = last.changed() => { changed?; break; }
                }
            }
            let goal = last.borrow().clone();
            read_until(&mut connection, &mut map, &goal).await?;
            anyhow::Ok((map, connection.snapshots, connection.deltas))
        }
    });
    let trading = tokio::spawn(trade(Arc::clone(&server), Arc::clone(&tenant), Arc::clone(&stop)));

    let (short, full) = CUTS;
    let cuts = if is_long() { full } else { short };
    let mut cut_off = SeatMap::default();
    let (snapshots, deltas) = watch_and_be_cut_off(&server, &tenant, &mut cut_off, cuts).await?;
    stop.store(true, Ordering::Relaxed);
    let (held, released, sold) = trading.await??;

    let settled = read_settled_map(&server, &tenant).await?;
    position.send(settled.position.clone())?;
    let mut connection = SeatMapStream::open(server.client(), &tenant.event, &cut_off, ResumeBy::LastEventId).await?;
    read_until(&mut connection, &mut cut_off, &settled.position).await?;
    let (steady, steady_snapshots, steady_deltas) = steady.await??;
    println!(
        "{cuts} cuts over {held} holds, {released} releases, {sold} orders: {snapshots} snapshots and {deltas} deltas, \
         the steady viewer {steady_snapshots} and {steady_deltas}"
    );
    for (who, map) in [("steady", &steady), ("cut off", &cut_off)] {
        assert_eq!(map.areas, settled.areas, "{who}");
        assert_eq!(map.seats(SEATS), settled.seats(SEATS), "{who}");
        assert_eq!(map.places.len(), settled.places.len(), "{who}");
    }
    assert!(held > cuts / 4 && deltas > 0 && steady_deltas > 0, "changes happened meanwhile");
    assert!(snapshots < cuts / 2, "most connections resume without a snapshot: {snapshots} of {cuts}");
    Ok(())
}
