//! Runs a platform of one node on a real Redis and a real Postgres with a sandbox provider, each of which can be killed or paused, and its users.
//!
//! Never: a process that outlives its value.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use voelgoed_testkit::buyer::{
    AcknowledgedOrder, GrantedHold, OrderRequest, TestBuyer, acknowledged_order, granted_hold,
};
use voelgoed_testkit::http_client::ApiClient;
use voelgoed_testkit::limits::unlimited_with;
use voelgoed_testkit::organizer::{TestEvent, TestOrganizer, text};
use voelgoed_testkit::postgres::Postgres;
use voelgoed_testkit::process::Process;
use voelgoed_testkit::redis::RedisServer;
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::sandbox_provider::{SandboxProviderOptions, money_by_order, sandbox_provider};
use voelgoed_testkit::scanner::{ScanRequest, TestScanner};
use voelgoed_testkit::server::{ServerCommand, ServerOptions, TestServer, empty_directory};
use voelgoed_testkit::until::until;

use super::RECOVERY_TIMEOUT;
use super::response_values::{ListState, admitted_by, scan_state};
use crate::clients::organization_of;

/// Seats of the event, and places of its floor.
const SEATS: u32 = 80;
const FLOOR: u32 = 400;
const DATABASE: &str = "cells";
/// Protects nothing.
const MASTER_KEY: &str = "41c6059a582dc3ec494b02795c4457e08eceb284c61c18d5e7a2b52e37192157";

/// The platform and its users.
pub struct CellsFixture {
    /// Before the stores, so that the node ends first.
    pub(super) node: TestServer,
    /// The warm tier.
    pub redis: RedisServer,
    /// The cold tier's primary.
    pub primary: Postgres,
    /// The primary's replica.
    pub replica: Option<Postgres>,
    /// The payment provider.
    pub provider: Process,
    /// The client of the node.
    pub client: ApiClient,
    /// The organizer of the event.
    pub organizer: TestOrganizer,
    /// The organizer of another tenant, who has nothing.
    pub stranger: TestOrganizer,
    /// The event on sale.
    pub event: TestEvent,
    /// The device at the event's gate.
    pub scanner: TestScanner,
    pub buyer: TestBuyer,
    data: PathBuf,
    next_seat: u32,
    admissions: usize,
}

/// Requests that an outage interrupts.
pub struct RequestsBeforeOutage {
    /// A code that was not scanned yet.
    pub code: String,
    /// The first scan of that code.
    pub scan: ScanRequest,
    /// A code that was admitted.
    pub used: String,
    /// A hold that is ordered during the outage, and again afterwards.
    pub hold: GrantedHold,
    /// The order of that hold.
    pub order: OrderRequest,
    /// An order that the provider captures during the outage.
    pub claimed: AcknowledgedOrder,
    /// A paid order that is refunded during the outage, and again afterwards.
    pub refunded_order: Value,
    /// The idempotency key of that refund.
    pub refund_key: String,
    /// The lists before the outage.
    pub lists: Vec<ListState>,
}

/// Seconds from one time of a response to a later one.
pub fn seconds_between(from: &str, to: &str) -> anyhow::Result<f64> {
    let moment = |text: &str| text.parse::<jiff::Timestamp>();
    Ok((moment(to)? - moment(from)?).total(jiff::Unit::Second)?)
}

impl CellsFixture {
    /// Starts the platform.
    pub async fn open(binary: &Path, root: &Path, name: &str, with_replica: bool) -> anyhow::Result<Self> {
        let data = empty_directory(root, name)?;
        std::fs::create_dir_all(&data)?;
        let redis = RedisServer::start(&data).await?;
        let primary = Postgres::start().await?;
        primary.create_database(DATABASE, "template0")?;
        let replica = if with_replica { Some(primary.replica("follower").await?) } else { None };
        let replica_url = replica.as_ref().map(|replica| ("VOELGOED__COLD__REPLICAS", replica.url(DATABASE)));
        let options = ServerOptions::new(binary, ServerCommand::Serve("all"), &data.join("node"))
            .with_environment(unlimited_with(&[
                ("VOELGOED__SECRETS__MASTER", MASTER_KEY),
                ("VOELGOED__SALE__POLL_EVERY", "1s"),
                ("VOELGOED__LOG__FILTER", "info"),
            ]))
            .with_environment([("VOELGOED__WARM__URL", redis.url()), ("VOELGOED__COLD__URL", primary.url(DATABASE))])
            .with_environment(replica_url);
        let mut node = TestServer::new(options)?;
        let mut provider = sandbox_provider(SandboxProviderOptions {
            binary,
            data: &data,
            shop_url: &node.url(),
            master_key: MASTER_KEY,
            time_scale: 1.0,
        })?;
        provider.start()?;
        node.set_environment("VOELGOED__SANDBOX__URL", &format!("http://{}", provider.address));
        node.run(&["migrate"]).await?;
        node.start().await?;
        let client = node.client().clone();
        let organizer = organization_of(&node, &client, name).await?;
        let stranger = organization_of(&node, &client, &format!("not-{name}")).await?;
        let event = organizer.make_event(name, SEATS, FLOOR).await?;
        let scanner = TestScanner::pair(&organizer, &event).await?;
        let buyer = TestBuyer::new(client.clone());
        let (next_seat, admissions) = (0, 0);
        Ok(Self {
            node,
            redis,
            primary,
            replica,
            provider,
            client,
            organizer,
            stranger,
            event,
            scanner,
            buyer,
            data,
            next_seat,
            admissions,
        })
    }

    /// The URL of the node.
    pub fn url(&self) -> String {
        self.node.url()
    }

    /// Holds the next free seat with a new session.
    pub async fn hold_seat(&mut self) -> anyhow::Result<GrantedHold> {
        let seat = self.next_seat;
        self.next_seat += 1;
        granted_hold(TestBuyer::new(self.client.clone()).hold_seat(&self.event, seat).await?)
    }

    /// Orders a seat, to be paid by `method`.
    pub async fn place_order(&mut self, method: &str) -> anyhow::Result<AcknowledgedOrder> {
        let hold = self.hold_seat().await?;
        acknowledged_order(self.buyer.clone().order(&OrderRequest::new(&hold, method)).await?)
    }

    /// Buys a seat, and returns the paid order.
    pub async fn buy(&mut self) -> anyhow::Result<Value> {
        let order = self.place_order("ok").await?;
        self.paid(&order).await
    }

    /// Buys a seat, and returns the code of its ticket.
    pub async fn buy_code(&mut self) -> anyhow::Result<String> {
        text(&self.buy().await?["tickets"][0], "code")
    }

    /// Starts a request of every kind.
    pub async fn under_way(&mut self) -> anyhow::Result<RequestsBeforeOutage> {
        let (code, used) = (self.buy_code().await?, self.buy_code().await?);
        let scan = self.scanner.scan_of(&code);
        let first = self.scanner.send(&self.scanner.scan_of(&used)).await?.must(200)?;
        ensure!(scan_state(&first) == admitted_by(true, false), "a normal scan: {first}");
        self.count_admission();
        let refunded_order = self.buy().await?;
        let hold = self.hold_seat().await?;
        let order = OrderRequest::new(&hold, "ok");
        // Captured three seconds from now, when its callback will be refused.
        let claimed = self.place_order("slow").await?;
        let lists = self.lists().await?;
        self.venues(&self.stranger).await?;
        self.page("/").await?;
        let refund_key = order.key.clone();
        Ok(RequestsBeforeOutage { code, scan, used, hold, order, claimed, refunded_order, refund_key, lists })
    }

    /// Waits until the replica has everything that was written.
    pub async fn replica_caught_up(&self) -> anyhow::Result<()> {
        let replica = self.replica.as_ref().context("a replica")?;
        let position = self.primary.sql("postgres", "select pg_current_wal_lsn()")?;
        let caught_up = format!("select pg_last_wal_replay_lsn() >= '{position}'");
        until("the replica catches up", RECOVERY_TIMEOUT, || async {
            Ok((replica.sql("postgres", &caught_up)? == "t").then_some(()))
        })
        .await
    }

    /// Kills primary and replica.
    pub async fn kill_cold(&mut self) -> anyhow::Result<()> {
        self.primary.kill().await?;
        self.replica.as_mut().context("a replica")?.kill().await
    }

    /// Starts primary and replica again.
    pub async fn restart_cold(&mut self) -> anyhow::Result<()> {
        self.primary.restart().await?;
        self.replica.as_mut().context("a replica")?.restart().await
    }

    /// Reads the order of an earlier response again.
    pub async fn reread_order(&self, order: &Value) -> anyhow::Result<Value> {
        self.read_order(&AcknowledgedOrder { id: text(order, "id")?, token: text(order, "token")? }).await
    }

    /// Waits until the order's refund is executed.
    pub async fn refunded(&self, order: &Value) -> anyhow::Result<()> {
        until("the refund is executed", RECOVERY_TIMEOUT, || async {
            let seen = self.reread_order(order).await?;
            Ok((seen["refunds"][0]["state"] == "done" && seen["state"] == "refunded").then_some(()))
        })
        .await
    }

    /// Repeats the scan until it is durable: the same result as before.
    pub async fn durable(&self, scan: &ScanRequest) -> anyhow::Result<()> {
        until("the scan is durable", RECOVERY_TIMEOUT, || async {
            let sent = self.scanner.send(scan).await?.must(200)?;
            Ok((scan_state(&sent) == admitted_by(true, false)).then_some(()))
        })
        .await
    }

    /// Counts an admission for [`Self::check_final_state`].
    pub fn count_admission(&mut self) {
        self.admissions += 1;
    }

    /// Waits until the order is paid.
    pub async fn paid(&self, order: &AcknowledgedOrder) -> anyhow::Result<Value> {
        until("the order is paid", RECOVERY_TIMEOUT, || async {
            let seen = self.read_order(order).await?;
            match seen["state"].as_str() {
                Some("paid") => Ok(Some(seen)),
                Some("awaiting_payment") => Ok(None),
                other => bail!("the order is {other:?}"),
            }
        })
        .await
    }

    /// Waits until `/readyz` reports this health of a dependency, calling `request` until then so that it can detect an outage.
    pub async fn wait_for_health<F: Future<Output = anyhow::Result<()>>>(
        &self,
        dependency: &str,
        health: &str,
        request: impl Fn() -> F,
    ) -> anyhow::Result<()> {
        until(&format!("{dependency} is {health}"), RECOVERY_TIMEOUT, || async {
            if self.health(dependency).await? == health {
                return Ok(Some(()));
            }
            request().await?;
            Ok(None)
        })
        .await
    }

    /// Waits until a dependency is up, without sending a request.
    pub async fn wait_until_up(&self, dependency: &str) -> anyhow::Result<()> {
        self.wait_for_health(dependency, "up", || async { Ok(()) }).await
    }

    async fn check_provider_money(&self) -> anyhow::Result<()> {
        let mut ledger = std::collections::BTreeMap::<String, i64>::new();
        for entry in self.organizer.balanced_ledger().await? {
            *ledger.entry(entry.order.trim_start_matches("ord_").to_owned()).or_default() += entry.clearing;
        }
        for (order, money) in money_by_order(&self.data)? {
            let booked = ledger.remove(order.trim_start_matches("ord_")).unwrap_or_default();
            ensure!(booked == money, "of order {order} the provider has {money}, the ledger {booked}");
        }
        ensure!(ledger.values().all(|money| *money == 0), "money that no provider has: {ledger:?}");
        Ok(())
    }

    /// Checks that nothing is lost, doubled or stuck.
    pub async fn check_final_state(&self, report: &mut SuiteReport) -> anyhow::Result<()> {
        let scans = self.organizer.all(&format!("/api/v1/scans?event={}", self.event.id)).await?;
        let admitted = scans.iter().filter(|scan| scan["result"] == "admitted").count();
        report.check_eq("in the end each admitted ticket was admitted once", admitted, self.admissions);
        let conflicts = self.organizer.all(&format!("/api/v1/conflicts?event={}", self.event.id)).await?;
        report.check_eq("in the end there are no conflicts", conflicts.len(), 0);
        report.check("the ledger balances, and agrees with the provider's charges", self.check_provider_money().await);
        let counts = self.organizer.counts(&self.event.id).await?;
        report.check_eq("no place is lost", counts.all(), u64::from(SEATS + FLOOR));
        Ok(())
    }
}
