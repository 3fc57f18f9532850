//! One of two nodes dies (kill -9): whatever was begun there goes on at the other.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use reqwest::Method;
use voelgoed_testkit::buyer::{Buyer, OrderRequest, Placed, held, placed};
use voelgoed_testkit::client::{Call, Client};
use voelgoed_testkit::cluster::{Plan, Platform};
use voelgoed_testkit::organizer::{Event, Organizer, text};
use voelgoed_testkit::scanner::Scanner;
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use super::PATIENCE;
use super::rows::{admitted, hear, scanned, told, yes};

/// Seats of the event; places of its floor.
const SEATS: u32 = 40;
const FLOOR: u32 = 100;

/// Plays the column.
pub async fn run(binary: &Path, root: &Path, haproxy: &Path, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let root = root.join("node");
    if root.exists() {
        std::fs::remove_dir_all(&root)?;
    }
    let mut platform = Platform::start(plan(binary, root, haproxy)).await?;
    let organizer = Organizer::of(&platform.url, &platform.card)?;
    let event = organizer.make_event("Node", SEATS, FLOOR).await?;
    let scanner = Scanner::pair(&organizer, &event).await?;
    let (dying, other) = (platform.nodes[0].client()?, platform.nodes[1].client()?);
    let mut buyer = Buyer::new(dying.clone());
    let code = bought(&mut buyer, &event, 0).await?;
    let hold = held(buyer.hold_seat(&event, 1).await?)?;
    let claimed = held(buyer.hold_seat(&event, 2).await?)?;
    let claimed = placed(buyer.order(&OrderRequest::new(&claimed, "slow")).await?)?;
    let seen = dying.get(&format!("/api/v1/events/{}/availability", event.id), Call::default()).await?;
    let position = format!("{}:{}", seen["epoch"], seen["seq"]);

    platform.nodes[0].kill().await?;
    let mut buyer = buyer.at(&other);
    let order = buyer.order(&OrderRequest::new(&hold, "ok")).await?;
    verdicts.same("node dies: a hold made there is ordered at the other", told(&order), yes(201));
    verdicts.judge("node dies: and paid", paid(&buyer, &placed(order)?).await);
    verdicts.judge("node dies: an order whose charge was under way is paid", paid(&buyer, &claimed).await);
    verdicts.judge(
        "node dies: a viewer goes on at the other without a gap",
        resumes(&platform.nodes[1].url(), &event, &position).await,
    );
    let let_in = scanner.at(&other).send(&scanner.read(&code)).await?.must(200)?;
    verdicts.same("node dies: a scan is durable at the other", scanned(&let_in), admitted(true, false));
    let front = Client::new(&platform.url)?;
    let shop = until("the balancer goes to the other", PATIENCE, || async {
        let seen = front.call(Method::GET, "/api/v1/events", Call::default()).await;
        Ok(seen.is_ok_and(|answer| answer.status == 200).then_some(()))
    });
    verdicts.judge("node dies: the shop is open", shop.await);
    let lists = organizer.call(Method::GET, "/api/v1/ledger/accounts", None, None).await?;
    verdicts.same("node dies: lists are read", (lists.status, lists.body["stale"].as_bool()), (200, None));

    platform.nodes[0].start().await?;
    verdicts.judge("node back: it is ready", platform.nodes[0].ready().await);
    let held = Buyer::new(dying).hold_general(&event, 1).await?;
    verdicts.same("node back: places are held there", told(&held), yes(201));
    verdicts.judge("node back: the journal balances", organizer.balanced_journal().await.map(drop));
    platform.stop().await
}

fn plan(binary: &Path, root: PathBuf, haproxy: &Path) -> Plan {
    let many = || "100000000".to_owned();
    let environment = [
        ("VOELGOED__LIMITS__ADDRESS_BURST", many()),
        ("VOELGOED__LIMITS__HOLD_BURST", many()),
        ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX", many()),
        ("VOELGOED__LIMITS__READ_BURST", many()),
        ("VOELGOED__LIMITS__SESSION_BURST", many()),
        ("VOELGOED__SALE__POLL_EVERY", "1s".to_owned()),
    ];
    Plan {
        binary: binary.to_owned(),
        root,
        roles: vec!["all", "all"],
        redis_cluster: false,
        replica: false,
        haproxy: Some(haproxy.to_owned()),
        environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
        time_scale: 1.0,
    }
}

async fn bought(buyer: &mut Buyer, event: &Event, place: u32) -> anyhow::Result<String> {
    let hold = held(buyer.hold_seat(event, place).await?)?;
    let order = placed(buyer.order(&OrderRequest::new(&hold, "ok")).await?)?;
    paid(buyer, &order).await?;
    text(&buyer.look(&order).await?["tickets"][0], "code")
}

async fn paid(buyer: &Buyer, order: &Placed) -> anyhow::Result<()> {
    until("the order is paid", PATIENCE, || async {
        Ok((buyer.clone().look(order).await?["state"] == "paid").then_some(()))
    })
    .await
}

/// The other node goes on from the position: by the changes since, or by the whole where that is less; never from before it.
async fn resumes(url: &str, event: &Event, position: &str) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let request = http.get(format!("{url}/api/v1/events/{}/stream", event.id)).header("last-event-id", position);
    let mut stream = request.send().await?.error_for_status()?;
    let mut text = String::new();
    hear(&mut stream, &mut text, "data:").await?;
    let of = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    ensure!(matches!(of("event:").as_str(), "delta" | "snapshot"), "not a change but {text:.60}");
    let (from, to) = (place_in_log(position), place_in_log(&of("id:")));
    ensure!(from.is_some() && to > from, "from {position} to {}", of("id:"));
    Ok(())
}

/// Epoch and number of a position.
fn place_in_log(position: &str) -> Option<(u64, u64)> {
    let (epoch, seq) = position.split_once(':')?;
    Some((epoch.parse().ok()?, seq.parse().ok()?))
}
