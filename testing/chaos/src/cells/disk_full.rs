//! Refuses every file write of one node with embedded tiers (`prlimit --fsize=0`), while reads go on.

use std::path::Path;

use anyhow::{bail, ensure};
use serde_json::Value;
use voelgoed_testkit::buyer::{AcknowledgedOrder, OrderRequest, TestBuyer, acknowledged_order, granted_hold};
use voelgoed_testkit::http_client::{ApiCall, ApiClient, ApiResponse};
use voelgoed_testkit::limits::unlimited_with;
use voelgoed_testkit::organizer::{TestEvent, TestOrganizer, text};
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::scanner::TestScanner;
use voelgoed_testkit::server::{ServerCommand, ServerOptions, TestServer, empty_directory};
use voelgoed_testkit::until::until;

use super::RECOVERY_TIMEOUT;
use super::response_values::{reason, scan_state};

const SEATS: u32 = 40;
/// Of one session while no orders are accepted.
const PLACES_PER_SESSION_MAX: u32 = 4;

/// The node and its users.
struct DiskFixture {
    server: TestServer,
    client: ApiClient,
    organizer: TestOrganizer,
    event: TestEvent,
    scanner: TestScanner,
}

/// Checks this column of the capability table.
pub async fn run(binary: &Path, root: &Path, report: &mut SuiteReport) -> anyhow::Result<()> {
    let fixture = open(binary, root).await?;
    let mut buyer = TestBuyer::new(fixture.client.clone());
    let used = fixture.ticket(&mut buyer, 0).await?;
    let unused = fixture.ticket(&mut buyer, 1).await?;
    let first = fixture.scanner.send(&fixture.scanner.scan_of(&used)).await?.must(200)?;
    report.check_eq("with cold a scan is durable", scan_state(&first), ("admitted".to_owned(), true, false));
    // Held before the outage, ordered during the outage and again afterwards.
    let hold = granted_hold(buyer.hold_seat(&fixture.event, 2).await?)?;
    let order = OrderRequest::new(&hold, "ok");
    let other = granted_hold(buyer.hold_seat(&fixture.event, 3).await?)?;
    let slow = acknowledged_order(buyer.order(&OrderRequest::new(&other, "slow")).await?)?;

    fixture.server.allow_file_writes(false)?;
    let detected = until("cold is known to be down", RECOVERY_TIMEOUT, || async {
        let refused = buyer.clone().order(&order).await?;
        ensure!(refused.status == 503, "an order was answered {} {}", refused.status, refused.body);
        Ok((fixture.server.dependency_health("cold").await? != "up").then_some(()))
    });
    report.check("disk full: requests detect the outage", detected.await);
    check_outage(&fixture, &mut buyer, &order, report).await?;
    let scan = fixture.scanner.scan_of(&unused);
    let admitted = fixture.scanner.send(&scan).await?.must(200)?;
    report.check_eq(
        "disk full: warm decides a scan, not durably",
        scan_state(&admitted),
        ("admitted".to_owned(), false, true),
    );
    let again = fixture.scanner.send(&fixture.scanner.scan_of(&unused)).await?.must(200)?;
    report.check_eq("disk full: a used ticket is not admitted again", reason(&again), "already_used".to_owned());
    let used_scan = fixture.scanner.send(&fixture.scanner.scan_of(&used)).await?.must(200)?;
    report.check_eq(
        "disk full: a ticket that cold had admitted is not admitted again",
        reason(&used_scan),
        "already_used".to_owned(),
    );

    fixture.server.allow_file_writes(true)?;
    let back = until("cold is up", RECOVERY_TIMEOUT, || async {
        Ok((fixture.server.dependency_health("cold").await? == "up").then_some(()))
    });
    report.check("disk back: detected without a request", back.await);
    let durable = until("the scan is durable", RECOVERY_TIMEOUT, || async {
        let sent = fixture.scanner.send(&scan).await?.must(200)?;
        Ok((scan_state(&sent) == ("admitted".to_owned(), true, false)).then_some(()))
    });
    report.check("disk back: the repeated scan is the same one, durable", durable.await);
    let late = fixture.scanner.send(&fixture.scanner.scan_of(&unused)).await?.must(200)?;
    report.check_eq(
        "disk back: its ticket stays used",
        (reason(&late), late["durable"].as_bool()),
        ("already_used".to_owned(), Some(true)),
    );
    let placed = acknowledged_order(buyer.order(&order).await?)?;
    for (claim, order) in [
        ("disk back: the refused order, repeated, is paid", &placed),
        ("disk back: the order that was open is paid", &slow),
    ] {
        report.check(claim, fixture.paid(&mut buyer, order).await.map(drop));
    }
    check_final_state(&fixture, report).await
}

async fn check_outage(
    fixture: &DiskFixture,
    buyer: &mut TestBuyer,
    order: &OrderRequest,
    report: &mut SuiteReport,
) -> anyhow::Result<()> {
    let ready = fixture.server.operator().get("/readyz", ApiCall::default()).await?;
    report.check_eq("disk full: the node stays ready, degraded", ready["leaving"].as_bool(), Some(false));
    let path = format!("/api/v1/events/{}/availability", fixture.event.id);
    let seen = fixture.client.get(&path, ApiCall::default()).await?;
    report.check_eq("disk full: the seat map is live", seen["stale"].as_bool(), Some(false));
    report.check(
        "disk full: the list of events is served",
        fixture.client.get("/api/v1/events", ApiCall::default()).await.map(drop),
    );
    let refused = buyer.order(order).await?;
    report.check_eq(
        "disk full: orders are refused with a retry time",
        refusal(&refused),
        (503, "try_again".to_owned(), true),
    );
    let mut few = TestBuyer::new(fixture.client.clone());
    let one = few.hold_general(&fixture.event, PLACES_PER_SESSION_MAX).await?;
    report.check_eq("disk full: places can be held", one.status, 201);
    let one = granted_hold(one)?;
    let more = few.change(&one, &fixture.event, None).await?;
    report.check_eq(
        "disk full: a change adds no further place",
        (more.status, more.code()),
        (409, "limit_reached".to_owned()),
    );
    let fewer = few.change(&one, &fixture.event, one.places.first().copied()).await?;
    report.check_eq("disk full: a place can be removed", fewer.status, 200);
    let many = TestBuyer::new(fixture.client.clone()).hold_general(&fixture.event, PLACES_PER_SESSION_MAX + 1).await?;
    report.check_eq(
        "disk full: only a few places can be held at once",
        (many.status, many.code()),
        (409, "limit_reached".to_owned()),
    );
    Ok(())
}

/// Checks that nothing is lost, doubled or stuck.
async fn check_final_state(fixture: &DiskFixture, report: &mut SuiteReport) -> anyhow::Result<()> {
    let scans = fixture.organizer.all(&format!("/api/v1/scans?event={}", fixture.event.id)).await?;
    let admitted = scans.iter().filter(|scan| scan["result"] == "admitted").count();
    report.check_eq("each ticket has admitted once", admitted, 2);
    let conflicts = fixture.organizer.all(&format!("/api/v1/conflicts?event={}", fixture.event.id)).await?;
    report.check_eq("there are no conflicts", conflicts.len(), 0);
    report.check("the ledger balances", fixture.organizer.balanced_ledger().await.map(drop));
    Ok(())
}

async fn open(binary: &Path, root: &Path) -> anyhow::Result<DiskFixture> {
    let data = empty_directory(root, "disk")?;
    let options = ServerOptions::new(&binary.canonicalize()?, ServerCommand::Demo, &data)
        .with_environment(unlimited_with(&[("VOELGOED__SALE__POLL_EVERY", "1s"), ("VOELGOED__LOG__FILTER", "info")]));
    let server = TestServer::started(ServerOptions { survives_full_disk: true, ..options }).await?;
    let organizer = TestOrganizer::of_demo(&server.url(), &server.card)?;
    let event = organizer.make_event("Cells", SEATS, 100).await?;
    let scanner = TestScanner::pair(&organizer, &event).await?;
    Ok(DiskFixture { client: ApiClient::new(&server.url())?, server, organizer, event, scanner })
}

impl DiskFixture {
    /// Buys a seat, and returns the code of its ticket.
    async fn ticket(&self, buyer: &mut TestBuyer, place: u32) -> anyhow::Result<String> {
        let hold = granted_hold(buyer.hold_seat(&self.event, place).await?)?;
        let order = acknowledged_order(buyer.order(&OrderRequest::new(&hold, "ok")).await?)?;
        text(&self.paid(buyer, &order).await?["tickets"][0], "code")
    }

    async fn paid(&self, buyer: &mut TestBuyer, order: &AcknowledgedOrder) -> anyhow::Result<Value> {
        until("the order is paid", RECOVERY_TIMEOUT, || {
            let mut buyer = buyer.clone();
            async move {
                let seen = buyer.read_order(order).await?;
                match seen["state"].as_str() {
                    Some("paid") => Ok(Some(seen)),
                    Some("awaiting_payment") => Ok(None),
                    other => bail!("the order is {other:?}"),
                }
            }
        })
        .await
    }
}

fn refusal(response: &ApiResponse) -> (u16, String, bool) {
    (response.status, response.code(), response.json()["retry_after"].as_u64().is_some())
}
