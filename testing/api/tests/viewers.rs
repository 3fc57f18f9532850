//! A viewer that is cut off again and again sees what one sees that never was, and both see what is so (P4, P10).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;

use voelgoed_api_tests::server::{Server, WIDE};
use voelgoed_api_tests::tenant::Tenant;
use voelgoed_api_tests::viewer::{Connection, Map, Resume};
use voelgoed_api_tests::{is_long, until};

/// How often the viewer is cut off, in the short and in the full run.
const CUTS: (u32, u32) = (60, 1_000);
/// The longest that a viewer keeps one connection before it is cut off.
const LONGEST: u64 = 120;
/// Everything that was done is seen within this.
const SEEN: Duration = Duration::from_secs(20);
/// The seats of the hall; they come before the places without seats.
const SEATS: usize = 80;

/// A number below `below`; the same ones in every run.
fn draw(random: &mut u64, below: u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random % below
}

/// Buyers, until they are told to stop: holds, releases, orders, and what an organizer keeps back.
async fn trade(server: Arc<Server>, tenant: Arc<Tenant>, stop: Arc<AtomicBool>) -> anyhow::Result<(u32, u32, u32)> {
    let (mut held, mut released, mut sold) = (0, 0, 0);
    let mut random = 7;
    while !stop.load(Ordering::Relaxed) {
        let seated = draw(&mut random, 3) > 0;
        let body = if seated {
            tenant.seats(1 + u32::try_from(draw(&mut random, 3))?)
        } else {
            serde_json::json!({"items": [{"area": tenant.standing, "quantity": 2, "ticket_type": tenant.ticket_type}]})
        };
        let path = format!("/api/v1/events/{}/holds", tenant.event);
        let answer = server.send(server.request("POST", &path).json(&body)).await?;
        anyhow::ensure!(matches!(answer.status.as_u16(), 201 | 409), "{} {}", answer.status, answer.body);
        if answer.status.as_u16() == 409 {
            continue;
        }
        held += 1;
        let hold = answer.json();
        let hold =
            (hold["id"].as_str().unwrap_or_default().to_owned(), hold["token"].as_str().unwrap_or_default().to_owned());
        // Few enough are bought that there is something to sell until the end.
        if draw(&mut random, 40) == 0 {
            tenant.order(&server, &hold).await?;
            sold += 1;
        } else {
            let request = server.request("DELETE", &format!("/api/v1/holds/{}", hold.0)).header("X-Token", &hold.1);
            let answer = server.send(request).await?;
            anyhow::ensure!(answer.status.as_u16() == 204, "{} {}", answer.status, answer.body);
            released += 1;
        }
    }
    Ok((held, released, sold))
}

/// Reads until the map stands at `position`.
async fn read_until(connection: &mut Connection, map: &mut Map, position: &str) -> anyhow::Result<()> {
    let read = async {
        while map.position != position {
            connection.next(map).await?;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(SEEN, read)
        .await
        .with_context(|| format!("a viewer came to {} and not to {position}", map.position))?
}

/// Reads with one connection after the other, each cut off at random: how many snapshots and deltas came.
async fn watch_and_be_cut_off(
    server: &Server,
    tenant: &Tenant,
    map: &mut Map,
    cuts: u32,
) -> anyhow::Result<(u32, u32)> {
    let mut random = 11;
    let (mut snapshots, mut deltas) = (0, 0);
    for cut in 0..cuts {
        let resume = if cut % 2 == 0 { Resume::LastEventId } else { Resume::Since };
        let mut connection = Connection::open(server, &tenant.event, map, resume).await?;
        // Cut off in the middle of whatever is under way: a frame that was not read whole is as one that never came.
        let keeps = Duration::from_millis(1 + draw(&mut random, LONGEST));
        let reading = async {
            loop {
                connection.next(map).await?;
            }
        };
        if let Ok(Err::<(), anyhow::Error>(error)) = tokio::time::timeout(keeps, reading).await {
            return Err(error);
        }
        snapshots += connection.snapshots;
        deltas += connection.deltas;
    }
    Ok((snapshots, deltas))
}

/// What is so, once it stands still: effects of orders may come in last.
async fn settled(server: &Server, tenant: &Tenant) -> anyhow::Result<Map> {
    let path = format!("/api/v1/events/{}/availability", tenant.event);
    let mut before = Map::default();
    until("the map comes to rest", Duration::from_millis(1_500), async || {
        let now = Map::of(&server.get(&path, "").await?)?;
        let rests = now == before;
        before = now;
        Ok(rests.then(|| before.clone()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_that_is_cut_off_at_random_sees_the_same_map() -> anyhow::Result<()> {
    let server = Arc::new(Server::start(WIDE).await?);
    let tenant = Arc::new(Tenant::make(&server, "hall").await?);
    let stop = Arc::new(AtomicBool::new(false));
    let (position, mut last) = tokio::sync::watch::channel(String::new());
    let steady = tokio::spawn({
        let (server, tenant) = (Arc::clone(&server), Arc::clone(&tenant));
        async move {
            let mut map = Map::default();
            let mut connection = Connection::open(&server, &tenant.event, &map, Resume::Since).await?;
            loop {
                tokio::select! {
                    read = connection.next(&mut map) => read?,
                    told = last.changed() => { told?; break; }
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
    let mut cut_off = Map::default();
    let (snapshots, deltas) = watch_and_be_cut_off(&server, &tenant, &mut cut_off, cuts).await?;
    stop.store(true, Ordering::Relaxed);
    let (held, released, sold) = trading.await??;

    let settled = settled(&server, &tenant).await?;
    position.send(settled.position.clone())?;
    let mut connection = Connection::open(&server, &tenant.event, &cut_off, Resume::LastEventId).await?;
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
    assert!(held > cuts / 4 && deltas > 0 && steady_deltas > 0, "something went on meanwhile");
    assert!(snapshots < cuts / 2, "most cuts go on where they were, without a snapshot: {snapshots} of {cuts}");
    Ok(())
}
