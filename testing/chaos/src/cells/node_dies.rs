//! Kills one of two nodes with SIGKILL, and checks that the other node completes the holds, orders, streams and scans that began on the killed node.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use reqwest::Method;
use voelgoed_testkit::buyer::{AcknowledgedOrder, OrderRequest, TestBuyer, acknowledged_order, granted_hold};
use voelgoed_testkit::cluster::{ClusterPlan, TestCluster, clear_root};
use voelgoed_testkit::http_client::{ApiCall, ApiClient};
use voelgoed_testkit::limits::unlimited_with;
use voelgoed_testkit::organizer::{TestEvent, TestOrganizer, text};
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::scanner::TestScanner;
use voelgoed_testkit::sse::SseStream;
use voelgoed_testkit::until::until;

use super::RECOVERY_TIMEOUT;
use super::response_values::{accepted, admitted_by, outcome, scan_state};

/// Seats of the event.
const SEATS: u32 = 40;
/// Places of the event's general-admission area.
const FLOOR: u32 = 100;

/// Checks the killed node, its neighbour and its restart.
pub async fn run(binary: &Path, root: &Path, haproxy: &Path, report: &mut SuiteReport) -> anyhow::Result<()> {
    let root = root.join("node");
    clear_root(&root)?;
    let mut platform = TestCluster::start(plan(binary, root, haproxy)).await?;
    let organizer = TestOrganizer::of_demo(&platform.url, &platform.card)?;
    let event = organizer.make_event("Node", SEATS, FLOOR).await?;
    let scanner = TestScanner::pair(&organizer, &event).await?;
    let (dying, other) = (platform.nodes[0].client().clone(), platform.nodes[1].client().clone());
    let mut buyer = TestBuyer::new(dying.clone());
    let code = buy_ticket(&mut buyer, &event, 0).await?;
    let hold = granted_hold(buyer.hold_seat(&event, 1).await?)?;
    let claimed = granted_hold(buyer.hold_seat(&event, 2).await?)?;
    let claimed = acknowledged_order(buyer.order(&OrderRequest::new(&claimed, "slow")).await?)?;
    let seen = dying.get(&format!("/api/v1/events/{}/availability", event.id), ApiCall::default()).await?;
    let position = format!("{}:{}", seen["epoch"], seen["seq"]);

    platform.nodes[0].kill()?;
    let mut buyer = buyer.at(&other);
    let order = buyer.order(&OrderRequest::new(&hold, "ok")).await?;
    report.check_eq(
        "node dies: a hold of the killed node is ordered at the other node",
        outcome(&order),
        accepted(201),
    );
    report.check("node dies: the order of that hold is paid", paid(&buyer, &acknowledged_order(order)?).await);
    report.check("node dies: an order whose charge was pending is paid", paid(&buyer, &claimed).await);
    report.check(
        "node dies: a viewer resumes at the other node without a gap",
        check_resume(&other, &event, &position).await,
    );
    let admitted = scanner.at(&other).send(&scanner.scan_of(&code)).await?.must(200)?;
    report.check_eq("node dies: a scan at the other node is durable", scan_state(&admitted), admitted_by(true, false));
    let front = ApiClient::new(&platform.url)?;
    let shop = until("the balancer uses the other node", RECOVERY_TIMEOUT, || async {
        let seen = front.call(Method::GET, "/api/v1/events", ApiCall::default()).await;
        Ok(seen.is_ok_and(|answer| answer.status == 200).then_some(()))
    });
    report.check("node dies: the shop is open", shop.await);
    let lists = organizer.call(Method::GET, "/api/v1/ledger/accounts", None, None).await?;
    report.check_eq("node dies: lists are read", (lists.status, lists.json()["stale"].as_bool()), (200, None));

    report.check("node back: the restarted node is ready", platform.nodes[0].start().await);
    let held = TestBuyer::new(dying).hold_general(&event, 1).await?;
    report.check_eq("node back: the restarted node grants a hold", outcome(&held), accepted(201));
    report.check("node back: the ledger balances", organizer.balanced_ledger().await.map(drop));
    platform.stop().await
}

fn plan(binary: &Path, root: PathBuf, haproxy: &Path) -> ClusterPlan {
    ClusterPlan {
        binary: binary.to_owned(),
        root,
        roles: vec!["all", "all"],
        redis_cluster: false,
        replica: false,
        haproxy: Some(haproxy.to_owned()),
        environment: unlimited_with(&[("VOELGOED__SALE__POLL_EVERY", "1s")]),
        time_scale: 1.0,
    }
}

async fn buy_ticket(buyer: &mut TestBuyer, event: &TestEvent, place: u32) -> anyhow::Result<String> {
    let hold = granted_hold(buyer.hold_seat(event, place).await?)?;
    let order = acknowledged_order(buyer.order(&OrderRequest::new(&hold, "ok")).await?)?;
    paid(buyer, &order).await?;
    text(&buyer.read_order(&order).await?["tickets"][0], "code")
}

async fn paid(buyer: &TestBuyer, order: &AcknowledgedOrder) -> anyhow::Result<()> {
    until("the order is paid", RECOVERY_TIMEOUT, || async {
        Ok((buyer.clone().read_order(order).await?["state"] == "paid").then_some(()))
    })
    .await
}

/// Checks that the first frame of a stream that resumes at `position` is a delta or a snapshot with a later position.
async fn check_resume(node: &ApiClient, event: &TestEvent, position: &str) -> anyhow::Result<()> {
    let request = node.request("GET", &format!("/api/v1/events/{}/stream", event.id));
    let mut stream = SseStream::open(request.header("last-event-id", position)).await?;
    let frame = stream.next_data().await?;
    ensure!(matches!(frame.event.as_str(), "delta" | "snapshot"), "not a change but {frame:?}");
    let (from, to) = (parse_position(position), parse_position(&frame.id));
    ensure!(from.is_some() && to > from, "from {position} to {}", frame.id);
    Ok(())
}

/// Parses `epoch:sequence`.
fn parse_position(position: &str) -> Option<(u64, u64)> {
    let (epoch, seq) = position.split_once(':')?;
    Some((epoch.parse().ok()?, seq.parse().ok()?))
}
