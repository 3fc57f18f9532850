//! One hostile address against the default limits, directly and through HAProxy: a stranger goes on buying, another organization's gate goes on scanning,
//! `/livez` answers, memory stays bounded; and malformed requests are refused without a second answer.
//!
//! Never: a judgement by time; latencies are printed as figures. To add a strike: a variant of [`strikes::Strike`].

mod bystanders;
mod forged;
mod modes;
mod shapes;
mod strikes;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use serde_json::json;
use tokio::task::JoinSet;
use voelgoed_testkit::buyer::{Buyer, OrderRequest, held, placed};
use voelgoed_testkit::client::{Call, Client};
use voelgoed_testkit::cluster::Daemon;
use voelgoed_testkit::haproxy;
use voelgoed_testkit::organizer::{Event, Organizer, text};
use voelgoed_testkit::port::free_port;
use voelgoed_testkit::scanner::Scanner;
use voelgoed_testkit::server::{Server, Setup, fresh_directory};
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use bystanders::{Bystanders, Seen};
use strikes::{Strike, Target};

/// The operator's key of these servers.
const OPERATOR: &str = "operator-of-the-attack-suite-4f8b1c7de2a95063";
/// A strike lasts so long, and so does the quiet before.
const SHORT: Duration = Duration::from_secs(5);
/// The same at full length.
const LONG: Duration = Duration::from_secs(60);
/// Memory may grow by so much beyond what the quiet server has.
const GROWTH_KIB_MAX: u64 = 512 * 1024;
/// Payments and starts take at most this.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long, and by which way.
#[derive(Debug, Args)]
pub struct Options {
    /// Strikes of a minute each.
    #[arg(long)]
    long: bool,
    /// The configuration of HAProxy.
    #[arg(long, default_value = "deploy/haproxy/haproxy.cfg")]
    haproxy: PathBuf,
}

/// Runs all of it.
pub async fn run(binary: &Path, root: &Path, options: &Options, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let config = options.haproxy.canonicalize().context("HAProxy's configuration")?;
    let lasts = if options.long { LONG } else { SHORT };
    for behind in [None, Some(config.as_path())] {
        let place = Place::open(binary, root, behind).await?;
        modes::judge(place.server.data(), &place.way, verdicts)?;
        shapes::judge(&place.address(), behind.is_some(), verdicts).await?;
        forged::judge(&place.url(), &place.way, &text(&place.server.card, "api_key")?, verdicts).await?;
        strike_all(&place, lasts, verdicts).await?;
    }
    Ok(())
}

/// Every strike from an address of its own, one after the other.
async fn strike_all(place: &Place, lasts: Duration, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let quiet = place.watched(lasts, None).await?;
    let quiet_kib = place.memory_kib()?;
    quiet.print(&place.way, "quiet", &quiet);
    let mut most_kib = quiet_kib;
    for (number, strike) in Strike::ALL.into_iter().enumerate() {
        let address = u8::try_from(number)? + 2;
        let seen = place.watched(lasts, Some((strike, address))).await?;
        most_kib = most_kib.max(place.memory_kib()?);
        seen.print(&place.way, strike.name(), &quiet);
        let claim = |what: &str| format!("{}, {}: {what}", place.way, strike.name());
        verdicts.judge(&claim("the stranger goes on buying"), seen.stranger.served());
        verdicts.judge(&claim("the other organization's gate goes on scanning"), seen.gate.always_served());
        verdicts.judge(&claim("/livez answers throughout"), seen.health.always_served());
    }
    println!("{}: memory {quiet_kib} KiB when quiet, at most {most_kib} KiB after a strike", place.way);
    let grown = most_kib.saturating_sub(quiet_kib);
    let bounded = || {
        ensure!(grown <= GROWTH_KIB_MAX, "it grew by {grown} KiB");
        Ok(())
    };
    verdicts.judge(&format!("{}: memory stays bounded", place.way), bounded());
    Ok(())
}

/// A server, its ways in, and who is there beside the attacker.
struct Place {
    way: String,
    server: Server,
    proxy: Option<Daemon>,
    /// The demo's event with the largest plan.
    stadium: String,
    /// What the stranger buys.
    event: Event,
    gate: Scanner,
    code: String,
}

impl Place {
    async fn open(binary: &Path, root: &Path, behind: Option<&Path>) -> anyhow::Result<Self> {
        let way = if behind.is_some() { "through HAProxy" } else { "directly" };
        std::fs::create_dir_all(root)?;
        let data = fresh_directory(root, if behind.is_some() { "attack-proxied" } else { "attack" })?;
        let mut environment = vec![
            ("VOELGOED_BINARY", std::fs::canonicalize(binary)?.display().to_string()),
            ("VOELGOED__SECRETS__OPERATOR", OPERATOR.to_owned()),
        ];
        if behind.is_some() {
            environment.push(("VOELGOED__SERVER__TRUSTED_PROXIES", "127.0.0.1".to_owned()));
        }
        let server = Server::start(Setup { binary: modes::careless(root)?, data, environment }).await?;
        let proxy = match behind {
            Some(config) => {
                let nodes = [server.url(), server.internal_url().to_owned()];
                let [public, internal] = nodes.map(|url| url.trim_start_matches("http://").to_owned());
                Some(
                    haproxy::start_with(config, &root.canonicalize()?, free_port()?, &[(public, internal)], &[])
                        .await?,
                )
            }
            None => None,
        };
        let url = proxy.as_ref().map_or_else(|| server.url(), |proxy| format!("http://{}", proxy.address));
        until("the way in is open", PATIENCE, || async {
            let answer = Client::new(&url)?.call(reqwest::Method::GET, "/livez", Call::default()).await;
            Ok(answer.is_ok_and(|answer| answer.status == 200).then_some(()))
        })
        .await?;
        let event = Organizer::of(&url, &server.card)?.make_event("Attacked", 20, 5_000).await?;
        let stadium = text(&server.card["events"][0], "id")?;
        let stadium = largest(&url, &server.card).await.unwrap_or(stadium);
        let (gate, code) = another(&server, &url).await?;
        Ok(Self { way: way.to_owned(), server, proxy, stadium, event, gate, code })
    }

    fn url(&self) -> String {
        self.proxy.as_ref().map_or_else(|| self.server.url(), |proxy| format!("http://{}", proxy.address))
    }

    fn address(&self) -> String {
        self.url().trim_start_matches("http://").to_owned()
    }

    /// What the others see for a while, with or without a strike.
    async fn watched(&self, lasts: Duration, strike: Option<(Strike, u8)>) -> anyhow::Result<Seen> {
        let bystanders = Bystanders {
            url: self.url(),
            internal_url: self.server.internal_url().to_owned(),
            event: self.event.clone(),
            gate: self.gate.clone(),
            code: self.code.clone(),
        };
        let mut attackers = JoinSet::new();
        if let Some((strike, last)) = strike {
            let target = Target {
                address: self.address(),
                stadium: self.stadium.clone(),
                event: self.event.id.clone(),
                area: self.event.general.0.clone(),
                ticket_type: self.event.ticket_type.clone(),
                last,
            };
            strike.begin(&target, &mut attackers);
        }
        let seen = bystanders.watch(lasts).await?;
        attackers.shutdown().await;
        Ok(seen)
    }

    /// The resident memory of the server's process.
    fn memory_kib(&self) -> anyhow::Result<u64> {
        let pid = self.server.pid().context("the server runs")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a line of memory")?;
        line.split_whitespace().next().and_then(|number| number.parse().ok()).context("a number of KiB")
    }
}

/// The demo's event whose map is largest.
async fn largest(url: &str, card: &serde_json::Value) -> anyhow::Result<String> {
    let client = Client::new(url)?;
    let mut best = (0, String::new());
    for event in card["events"].as_array().context("the demo's events")? {
        let id = text(event, "id")?;
        let map = client.text(&format!("/api/v1/events/{id}/map")).await?;
        if map.len() > best.0 {
            best = (map.len(), id);
        }
    }
    println!("the largest map has {} bytes", best.0);
    Ok(best.1)
}

/// Another organization with a gate, and a ticket that is shown there.
async fn another(server: &Server, url: &str) -> anyhow::Result<(Scanner, String)> {
    let operator = Client::new(server.internal_url())?;
    let body = json!({"name": "Other", "slug": "other"});
    let call = Call { bearer: Some(OPERATOR), body: Some(&body), ..Call::default() };
    let made = operator.call(reqwest::Method::POST, "/api/v1/organizations", call).await?.must(201)?;
    let client = Client::new(url)?;
    let organizer = Organizer { client: client.clone(), key: text(&made, "api_key")? };
    let event = organizer.make_event("Other", 20, 100).await?;
    let gate = Scanner::pair(&organizer, &event).await?;
    let mut buyer = Buyer::new(client);
    let hold = held(buyer.hold_seat(&event, 0).await?)?;
    let order = placed(buyer.order(&OrderRequest::new(&hold, "ok")).await?)?;
    let paid = until("the ticket is paid", PATIENCE, || {
        let (mut buyer, order) = (buyer.clone(), order.clone());
        async move {
            let seen = buyer.look(&order).await?;
            Ok((seen["state"] == "paid").then_some(seen))
        }
    });
    let code = text(&paid.await?["tickets"][0], "code")?;
    Ok((gate, code))
}
