//! Attacks the server from one address under its default limits, directly and through HAProxy: another buyer buys, another organization's gate scans,
//! `/livez` answers, memory stays bounded, and malformed requests are refused without a second response.
//!
//! Never: a check on a latency; latencies are printed as figures. To add an attack: a variant of [`attack_kinds::AttackKind`].

mod attack_kinds;
mod bystanders;
mod file_modes;
mod forged_headers;
mod malformed_requests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use tokio::task::JoinSet;
use voelgoed_testkit::buyer::{OrderRequest, TestBuyer, acknowledged_order, granted_hold};
use voelgoed_testkit::free_port::free_port;
use voelgoed_testkit::haproxy;
use voelgoed_testkit::http_client::{ApiCall, ApiClient};
use voelgoed_testkit::organizer::{TestEvent, TestOrganizer, text};
use voelgoed_testkit::process::Process;
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::scanner::TestScanner;
use voelgoed_testkit::server::{ServerCommand, ServerOptions, TestServer, empty_directory};
use voelgoed_testkit::until::until;

use attack_kinds::{AttackKind, AttackTarget};
use bystanders::{BystanderResults, Bystanders};

/// The duration of each attack, and of the time without an attack before them.
const SHORT_ATTACK: Duration = Duration::from_secs(5);
const LONG_ATTACK: Duration = Duration::from_secs(60);
/// Beyond the memory of the server without an attack.
const MEMORY_GROWTH_KIB_MAX: u64 = 512 * 1024;
/// For payments and starts.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(60);

/// Options of `attack`.
#[derive(Debug, Args)]
pub struct AttackOptions {
    /// Attacks of a minute each.
    #[arg(long)]
    long: bool,
    /// The configuration of HAProxy.
    #[arg(long, default_value = "deploy/haproxy/haproxy.cfg")]
    haproxy: PathBuf,
}

/// Runs all attacks, directly and through HAProxy.
pub async fn run(binary: &Path, root: &Path, options: &AttackOptions, report: &mut SuiteReport) -> anyhow::Result<()> {
    let config = options.haproxy.canonicalize().context("HAProxy's configuration")?;
    let duration = if options.long { LONG_ATTACK } else { SHORT_ATTACK };
    for haproxy in [None, Some(config.as_path())] {
        let fixture = AttackFixture::open(binary, root, haproxy).await?;
        file_modes::check(fixture.server.data(), &fixture.way, report)?;
        malformed_requests::check(&fixture.address(), haproxy.is_some(), report).await?;
        forged_headers::check(&fixture.url(), &fixture.way, fixture.server.card_text("api_key"), report).await?;
        attack_all(&fixture, duration, report).await?;
    }
    Ok(())
}

/// Runs every attack from an address of its own, one after the other.
async fn attack_all(fixture: &AttackFixture, duration: Duration, report: &mut SuiteReport) -> anyhow::Result<()> {
    let quiet = fixture.run_bystanders(duration, None).await?;
    let quiet_kib = fixture.memory_kib()?;
    quiet.print(&fixture.way, "no attack", &quiet);
    let mut largest_kib = quiet_kib;
    for (number, attack) in AttackKind::ALL.into_iter().enumerate() {
        let address = u8::try_from(number)? + 2;
        let results = fixture.run_bystanders(duration, Some((attack, address))).await?;
        largest_kib = largest_kib.max(fixture.memory_kib()?);
        results.print(&fixture.way, attack.name(), &quiet);
        let claim = |what: &str| format!("{}, {}: {what}", fixture.way, attack.name());
        report.check(&claim("another buyer goes on buying"), results.buyer.check_mostly_served());
        report.check(&claim("another organization's gate goes on scanning"), results.gate.check_all_served());
        report.check(&claim("/livez answers throughout"), results.health.check_all_served());
    }
    println!("{}: memory {quiet_kib} KiB without an attack, at most {largest_kib} KiB after one", fixture.way);
    let growth = largest_kib.saturating_sub(quiet_kib);
    let bounded = || {
        ensure!(growth <= MEMORY_GROWTH_KIB_MAX, "it grew by {growth} KiB");
        Ok(())
    };
    report.check(&format!("{}: memory stays bounded", fixture.way), bounded());
    Ok(())
}

/// A server with default limits, and its bystanders.
struct AttackFixture {
    /// Names the way to the server in messages.
    way: String,
    server: TestServer,
    proxy: Option<Process>,
    /// The demo's event with the largest map.
    stadium_event: String,
    /// The event of which the bystander buys.
    event: TestEvent,
    gate: TestScanner,
    code: String,
}

impl AttackFixture {
    async fn open(binary: &Path, root: &Path, haproxy: Option<&Path>) -> anyhow::Result<Self> {
        let way = if haproxy.is_some() { "through HAProxy" } else { "directly" };
        std::fs::create_dir_all(root)?;
        let data = empty_directory(root, if haproxy.is_some() { "attack-proxied" } else { "attack" })?;
        let options = ServerOptions::new(&binary.canonicalize()?, ServerCommand::Demo, &data).with_operator();
        let options = ServerOptions { shell_prelude: Some("umask 000"), ..options };
        let trusted = haproxy.map(|_| ("VOELGOED__SERVER__TRUSTED_PROXIES", "127.0.0.1"));
        let server = TestServer::started(options.with_environment(trusted)).await?;
        let proxy = match haproxy {
            Some(config) => {
                let backend = (server.address.clone(), server.internal_address.clone());
                Some(haproxy::start_with(config, &root.canonicalize()?, free_port()?, &[backend], &[]).await?)
            }
            None => None,
        };
        let url = proxy.as_ref().map_or_else(|| server.url(), |proxy| format!("http://{}", proxy.address));
        until("the server is reachable", PROCESS_TIMEOUT, || async {
            let response = ApiClient::new(&url)?.call(reqwest::Method::GET, "/livez", ApiCall::default()).await;
            Ok(response.is_ok_and(|response| response.status == 200).then_some(()))
        })
        .await?;
        let event = TestOrganizer::of_demo(&url, &server.card)?.make_event("Attacked", 20, 5_000).await?;
        let first_event = text(&server.card["events"][0], "id")?;
        let stadium_event = stadium_event(&url, &server.card).await.unwrap_or(first_event);
        let (gate, code) = other_organization(&server, &url).await?;
        Ok(Self { way: way.to_owned(), server, proxy, stadium_event, event, gate, code })
    }

    fn url(&self) -> String {
        self.proxy.as_ref().map_or_else(|| self.server.url(), |proxy| format!("http://{}", proxy.address))
    }

    fn address(&self) -> String {
        self.url().trim_start_matches("http://").to_owned()
    }

    /// Runs the bystanders, with or without an attack from `127.0.0.{last}`.
    async fn run_bystanders(
        &self,
        duration: Duration,
        attack: Option<(AttackKind, u8)>,
    ) -> anyhow::Result<BystanderResults> {
        let bystanders = Bystanders {
            url: self.url(),
            internal_url: self.server.internal_url(),
            event: self.event.clone(),
            gate: self.gate.clone(),
            code: self.code.clone(),
        };
        let mut attackers = JoinSet::new();
        if let Some((attack, last)) = attack {
            let target = AttackTarget {
                address: self.address(),
                stadium_event: self.stadium_event.clone(),
                event: self.event.id.clone(),
                area: self.event.general.0.clone(),
                ticket_type: self.event.ticket_type.clone(),
                last,
            };
            attack.start(&target, &mut attackers);
        }
        let results = bystanders.run(duration).await?;
        attackers.shutdown().await;
        Ok(results)
    }

    /// The resident memory of the server's process.
    fn memory_kib(&self) -> anyhow::Result<u64> {
        let pid = self.server.pid().context("the server runs")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a line of memory")?;
        line.split_whitespace().next().and_then(|number| number.parse().ok()).context("a number of KiB")
    }
}

/// The demo's event with the largest map.
async fn stadium_event(url: &str, card: &serde_json::Value) -> anyhow::Result<String> {
    let client = ApiClient::new(url)?;
    let mut largest = (0, String::new());
    for event in card["events"].as_array().context("the demo's events")? {
        let id = text(event, "id")?;
        let map = client.text(&format!("/api/v1/events/{id}/map")).await?;
        if map.len() > largest.0 {
            largest = (map.len(), id);
        }
    }
    println!("the largest map has {} bytes", largest.0);
    Ok(largest.1)
}

/// Makes another organization with a gate, and a ticket to scan there.
async fn other_organization(server: &TestServer, url: &str) -> anyhow::Result<(TestScanner, String)> {
    let made = server.organization("other").await?;
    let client = ApiClient::new(url)?;
    let organizer = TestOrganizer { client: client.clone(), key: text(&made, "api_key")? };
    let event = organizer.make_event("Other", 20, 100).await?;
    let gate = TestScanner::pair(&organizer, &event).await?;
    let mut buyer = TestBuyer::new(client);
    let hold = granted_hold(buyer.hold_seat(&event, 0).await?)?;
    let order = acknowledged_order(buyer.order(&OrderRequest::new(&hold, "ok")).await?)?;
    let paid = until("the ticket is paid", PROCESS_TIMEOUT, || {
        let (mut buyer, order) = (buyer.clone(), order.clone());
        async move {
            let seen = buyer.read_order(&order).await?;
            Ok((seen["state"] == "paid").then_some(seen))
        }
    });
    let code = text(&paid.await?["tickets"][0], "code")?;
    Ok((gate, code))
}
