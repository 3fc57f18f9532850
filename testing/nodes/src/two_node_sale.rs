//! Sells one event across two nodes on one Redis and one Postgres, and kills a node between hold and order in a second sale.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use voelgoed_testkit::buyer::{AcknowledgedOrder, OrderRequest, TestBuyer, acknowledged_order, granted_hold};
use voelgoed_testkit::cluster::{ClusterPlan, TestCluster, clear_root};
use voelgoed_testkit::http_client::{ApiCall, ApiClient};
use voelgoed_testkit::limits::unlimited_with;
use voelgoed_testkit::organizer::{PlaceCounts, TestEvent, TestOrganizer, text};
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::scanner::{TestScanner, scan_outcome};
use voelgoed_testkit::sse::SseStream;
use voelgoed_testkit::until::until;

use crate::NodesCli;

/// For everything that another process does.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(30);
/// For a change to reach a viewer.
const STREAM_TIMEOUT: Duration = Duration::from_secs(20);
/// Buyers who want one seat at the same moment, half of them at each node.
const RIVALS: u32 = 40;
/// States of a place in a delta.
const HELD: u8 = 1;
const SOLD: u8 = 2;

/// Runs both sales.
pub async fn run(nodes: &NodesCli, long: bool, report: &mut SuiteReport) -> anyhow::Result<()> {
    let root = nodes.root.join("sale");
    clear_root(&root)?;
    let start = Instant::now();
    let platform = TestCluster::start(ClusterPlan {
        binary: nodes.binary.clone(),
        root,
        roles: vec!["all", "all"],
        redis_cluster: long,
        replica: long,
        haproxy: Some(nodes.haproxy.canonicalize()?),
        environment: unlimited_with(&[("VOELGOED__LOG__FILTER", "info")]),
        time_scale: 0.2,
    })
    .await?;
    println!("two nodes are up after {:.1} s", start.elapsed().as_secs_f64());
    let mut fixture = TwoNodeFixture::open(platform).await?;
    report
        .check("hold on A, order on B, paid, ticket; scan on A, the second scan on B refused", fixture.across().await);
    report.check("of many who want one seat at two nodes exactly one gets it", fixture.rivals().await);
    report.check("kill -9 of A between hold and order: all goes on at B", fixture.killed_between().await);
    report.check("A comes back and shows what was sold; the ledger balances", fixture.back_again().await);
    fixture.platform.stop().await
}

/// An event on sale at both nodes.
struct TwoNodeFixture {
    platform: TestCluster,
    organizer: TestOrganizer,
    event: TestEvent,
    scanner: TestScanner,
    /// The last position of the viewer at B.
    position: String,
}

impl TwoNodeFixture {
    async fn open(platform: TestCluster) -> anyhow::Result<Self> {
        let organizer = TestOrganizer::of_demo(&platform.nodes[0].url(), &platform.card)?;
        let event = organizer.make_event("Across", 100, 50).await?;
        let scanner = TestScanner::pair(&organizer, &event).await?;
        Ok(Self { platform, organizer, event, scanner, position: String::new() })
    }

    fn clients(&self) -> [ApiClient; 2] {
        [0, 1].map(|node| self.platform.nodes[node].client().clone())
    }

    /// Opens the availability stream at a node, after `position` where it is not empty.
    async fn view(&self, node: usize, position: &str) -> anyhow::Result<SseStream> {
        // A client of its own, so that a stream never waits for a connection of other requests.
        let client = ApiClient::new(&self.platform.nodes[node].url())?;
        let request = client.request("GET", &format!("/api/v1/events/{}/stream", self.event.id));
        let request = if position.is_empty() { request } else { request.header("last-event-id", position) };
        SseStream::open(request).await
    }

    async fn across(&mut self) -> anyhow::Result<()> {
        let [a, b] = self.clients();
        let mut viewer = self.view(1, "").await?;
        viewer.next_data().await?;
        let mut at_a = self.view(0, "").await?;
        at_a.next_data().await?;
        for node in [&a, &b] {
            self.viewers(node, 2).await.context("each node counts the viewers of both")?;
        }
        drop(at_a);
        let mut buyer = TestBuyer::new(a.clone());
        let start = Instant::now();
        let hold = granted_hold(buyer.hold_seat(&self.event, 5).await?)?;
        shows(&mut viewer, 5, HELD).await.context("the viewer at B sees A's hold")?;
        println!("a hold at A was seen at B {} ms after its request", start.elapsed().as_millis());
        let mut at_b = buyer.at(&b);
        let order = acknowledged_order(at_b.order(&OrderRequest::new(&hold, "twice")).await?)?;
        // The order's stream at A, although B has taken the order and either node may process the payment.
        let path = format!("/api/v1/orders/{}/stream", order.id);
        let mut order_stream = SseStream::open(a.request("GET", &path).header("x-token", &order.token)).await?;
        let is_paid =
            order_stream.read_until("the order is paid", STREAM_TIMEOUT, |frame| frame.json()["state"] == "paid");
        is_paid.await.context("the order's stream at A reports the payment")?;
        shows(&mut viewer, 5, SOLD).await.context("the viewer at B sees the seat sold")?;
        self.position.clone_from(&viewer.position);
        let code = code(&paid(&buyer, &order).await?)?;
        self.check_scan(0, &code, "admitted").await?;
        self.check_scan(1, &code, "already_used").await
    }

    async fn rivals(&mut self) -> anyhow::Result<()> {
        let clients = self.clients();
        let tries = (0..RIVALS).map(|number| {
            let (mut buyer, event) = (TestBuyer::new(clients[number as usize % 2].clone()), &self.event);
            async move { buyer.hold_seat(event, 20).await.map(|response| response.status) }
        });
        let ends: Vec<u16> = futures::future::try_join_all(tries).await?;
        let granted = ends.iter().filter(|status| **status == 201).count();
        let refused = ends.iter().filter(|status| **status == 409).count();
        ensure!(granted == 1 && refused == ends.len() - 1, "{granted} granted, {refused} refused of {}", ends.len());
        Ok(())
    }

    async fn killed_between(&mut self) -> anyhow::Result<()> {
        let [a, b] = self.clients();
        let mut viewer = self.view(0, &self.position).await?;
        let mut buyer = TestBuyer::new(a);
        let hold = granted_hold(buyer.hold_seat(&self.event, 7).await?)?;
        shows(&mut viewer, 7, HELD).await?;
        self.platform.nodes[0].kill()?;
        let mut at_b = buyer.at(&b);
        let order = acknowledged_order(at_b.order(&OrderRequest::new(&hold, "ok")).await?)?;
        // The viewer resumes at B after its position at A: what it missed comes as deltas.
        let mut viewer = self.view(1, &viewer.position).await?;
        shows(&mut viewer, 7, SOLD).await.context("a viewer of A resumes at B without a gap")?;
        let code = code(&paid(&at_b, &order).await?)?;
        self.check_scan(1, &code, "admitted").await
    }

    async fn back_again(&mut self) -> anyhow::Result<()> {
        self.platform.nodes[0].start().await?;
        let expected = PlaceCounts { free: 147, held: 1, sold: 2, blocked: 0 };
        until("A shows what was sold meanwhile", PROCESS_TIMEOUT, || async {
            Ok((self.organizer.counts(&self.event.id).await? == expected).then_some(()))
        })
        .await?;
        let nodes = until("A lists both nodes", PROCESS_TIMEOUT, || async {
            let ready = self.platform.nodes[0].operator().get("/readyz", ApiCall::default()).await?;
            Ok(ready["nodes"].as_array().filter(|nodes| nodes.len() >= 2).cloned())
        });
        println!("{}", Value::Array(nodes.await?));
        self.viewers(&self.organizer.client, 0)
            .await
            .context("the viewers of the dead node are not counted any more")?;
        let orders = self.organizer.orders(&self.event.id).await?;
        ensure!(orders.len() == 2 && orders.iter().all(|order| order["state"] == "paid"), "{orders:?}");
        let ledger = self.organizer.balanced_ledger().await?;
        ensure!(ledger.iter().filter(|entry| entry.kind == "sale").count() == 2, "{ledger:?}");
        Ok(())
    }

    /// Waits until a node counts this many viewers of the event on all nodes together.
    async fn viewers(&self, node: &ApiClient, count: u64) -> anyhow::Result<()> {
        let path = format!("/api/v1/events/{}", self.event.id);
        until("the viewers of all nodes", PROCESS_TIMEOUT, || async {
            let event = node.get(&path, ApiCall::default()).await?;
            Ok((event["viewers"] == count).then_some(()))
        })
        .await
    }

    /// Scans at a node, and checks the outcome.
    async fn check_scan(&self, node: usize, code: &str, expected: &str) -> anyhow::Result<()> {
        let scanner = self.scanner.at(self.platform.nodes[node].client());
        let scan = scanner.send(&scanner.scan_of(code)).await?.must(200)?;
        ensure!(scan_outcome(&scan) == expected, "node {node} says {scan}");
        if expected == "already_used" {
            ensure!(scan["first"].is_object(), "a duplicate names the first scan: {scan}");
        }
        Ok(())
    }
}

/// Reads until a delta sets `place` to `state`; a snapshot marked as stale is an error.
async fn shows(viewer: &mut SseStream, place: u32, state: u8) -> anyhow::Result<()> {
    let what = format!("place {place} is shown as {state}");
    let is_change = |change: &Value| change[0] == place && change[1] == state;
    let frame = viewer.read_until(&what, STREAM_TIMEOUT, |frame| {
        let data = frame.json();
        let is_stale = frame.event == "snapshot" && data["stale"] == true;
        is_stale || frame.event == "delta" && data["changes"].as_array().into_iter().flatten().any(is_change)
    });
    if frame.await?.event == "snapshot" {
        bail!("the view is stale");
    }
    Ok(())
}

async fn paid(buyer: &TestBuyer, order: &AcknowledgedOrder) -> anyhow::Result<Value> {
    until("the order is paid", PROCESS_TIMEOUT, || {
        let mut buyer = buyer.clone();
        async move {
            let seen = buyer.read_order(order).await?;
            Ok((seen["state"] == "paid").then_some(seen))
        }
    })
    .await
}

fn code(order: &Value) -> anyhow::Result<String> {
    text(order["tickets"].get(0).context("a paid order has tickets")?, "code")
}
