//! A platform of one node on a real Redis and a real Postgres with its provider beside it, and everybody who uses it: each part can be taken away.
//!
//! Never: a part that outlives its value.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use voelgoed_testkit::books;
use voelgoed_testkit::buyer::{Buyer, Hold, OrderRequest, Placed, held, placed};
use voelgoed_testkit::client::Client;
use voelgoed_testkit::organizer::{Event, Organizer, text};
use voelgoed_testkit::port::free_address;
use voelgoed_testkit::postgres::Postgres;
use voelgoed_testkit::redis::RedisServer;
use voelgoed_testkit::scanner::{ScanRequest, Scanner};
use voelgoed_testkit::server::fresh_directory;
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use super::PATIENCE;
use super::rows::{Listed, admitted, scanned};
use crate::storm::process::Process;

/// Seats of the event; places of its floor.
const SEATS: u32 = 80;
const FLOOR: u32 = 400;
const DATABASE: &str = "cells";
/// It guards nothing.
const MASTER: &str = "41c6059a582dc3ec494b02795c4457e08eceb284c61c18d5e7a2b52e37192157";

/// The platform and its people.
pub struct Scene {
    /// What they all talk to; it ends first.
    _node: Process,
    /// The warm tier.
    pub redis: RedisServer,
    /// The cold tier's primary.
    pub primary: Postgres,
    /// Its replica.
    pub replica: Option<Postgres>,
    /// Who takes the money.
    pub provider: Process,
    /// The way to the node.
    pub client: Client,
    /// A client of its internal listener.
    pub operator: Client,
    /// Who organizes.
    pub organizer: Organizer,
    /// Who organizes for another tenant, and has nothing.
    pub stranger: Organizer,
    /// What is on sale.
    pub event: Event,
    /// The gate.
    pub scanner: Scanner,
    /// Who buys.
    pub buyer: Buyer,
    url: String,
    data: PathBuf,
    next_seat: u32,
    admissions: usize,
}

/// What is under way when something goes away.
pub struct UnderWay {
    /// A code that has not been read, and its first reading.
    pub code: String,
    /// That reading.
    pub scan: ScanRequest,
    /// A code that has admitted.
    pub used: String,
    /// A hold that is ordered meanwhile, and afterwards.
    pub hold: Hold,
    /// That order.
    pub order: OrderRequest,
    /// An order that is placed, and captured by the provider meanwhile.
    pub claimed: Placed,
    /// A paid order that is given back meanwhile, and afterwards.
    pub given_back: Value,
    /// The key of that refund.
    pub refund_key: String,
    /// What lists said.
    pub lists: Vec<Listed>,
}

/// From one moment of an answer to a later one.
pub fn seconds_between(from: &str, to: &str) -> anyhow::Result<f64> {
    let moment = |text: &str| text.parse::<jiff::Timestamp>();
    Ok((moment(to)? - moment(from)?).total(jiff::Unit::Second)?)
}

impl Scene {
    /// Starts all of it.
    pub async fn open(binary: &Path, root: &Path, name: &str, with_replica: bool) -> anyhow::Result<Self> {
        let data = fresh_directory(root, name)?;
        std::fs::create_dir_all(data.join("sandbox"))?;
        let redis = RedisServer::start(&data).await?;
        let primary = Postgres::start().await?;
        primary.create_database(DATABASE, "template0")?;
        let replica = if with_replica { Some(primary.replica("follower").await?) } else { None };
        let (address, internal, provider_address) = (free_address()?, free_address()?, free_address()?);
        let url = format!("http://{address}");
        let mut environment = environment(&redis, &primary, &provider_address);
        if let Some(replica) = &replica {
            environment.push(("VOELGOED__COLD__REPLICAS", replica.url(DATABASE)));
        }
        let text = |path: &Path| path.to_str().map(str::to_owned).context("a name in UTF-8");
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let books = text(&data.join("sandbox/charges.jsonl"))?;
        let callback = format!("{url}/api/v1/providers/sandbox/callback");
        let arguments =
            words(&["sandbox-psp", "--listen", &provider_address, "--file", &books, "--callback-url", &callback]);
        let mut provider = Process::new(binary.to_owned(), arguments, environment.clone(), data.join("provider.log"));
        provider.start()?;
        let own = text(&data.join("node"))?;
        let arguments = words(&["serve", "--listen", &address, "--internal-listen", &internal, "--data", &own]);
        let mut node = Process::new(binary.to_owned(), arguments, environment, data.join("node.log"));
        node.ask(&["migrate"]).await?;
        node.start()?;
        let client = Client::new(&url)?;
        let operator = Client::new(&format!("http://{internal}"))?;
        until("the node is ready", PATIENCE, || async {
            let ready = operator.call(reqwest::Method::GET, "/readyz", Default::default()).await;
            Ok(ready.is_ok_and(|answer| answer.status == 200).then_some(()))
        })
        .await?;
        let organizer = organization(&node, &client, name).await?;
        let stranger = organization(&node, &client, &format!("not-{name}")).await?;
        let event = organizer.make_event(name, SEATS, FLOOR).await?;
        let scanner = Scanner::pair(&organizer, &event).await?;
        let buyer = Buyer::new(client.clone());
        let (next_seat, admissions) = (0, 0);
        Ok(Self {
            _node: node,
            redis,
            primary,
            replica,
            provider,
            client,
            operator,
            organizer,
            stranger,
            event,
            scanner,
            buyer,
            url,
            data,
            next_seat,
            admissions,
        })
    }

    /// Where the node is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A hold of a seat that nobody had yet, by a session of its own.
    pub async fn seat(&mut self) -> anyhow::Result<Hold> {
        let seat = self.next_seat;
        self.next_seat += 1;
        held(Buyer::new(self.client.clone()).hold_seat(&self.event, seat).await?)
    }

    /// An order that is placed, and paid as `method` does.
    pub async fn ordered(&mut self, method: &str) -> anyhow::Result<Placed> {
        let hold = self.seat().await?;
        placed(self.buyer.clone().order(&OrderRequest::new(&hold, method)).await?)
    }

    /// An order that is paid, whole.
    pub async fn bought(&mut self) -> anyhow::Result<Value> {
        let order = self.ordered("ok").await?;
        self.paid(&order).await
    }

    /// A code that admits once.
    pub async fn code(&mut self) -> anyhow::Result<String> {
        text(&self.bought().await?["tickets"][0], "code")
    }

    /// Something of every kind, under way.
    pub async fn under_way(&mut self) -> anyhow::Result<UnderWay> {
        let (code, used) = (self.code().await?, self.code().await?);
        let scan = self.scanner.read(&code);
        let first = self.scanner.send(&self.scanner.read(&used)).await?.must(200)?;
        ensure!(scanned(&first) == admitted(true, false), "a scan as usual: {first}");
        self.let_in();
        let given_back = self.bought().await?;
        let hold = self.seat().await?;
        let order = OrderRequest::new(&hold, "ok");
        // Captured three seconds from now, when its callback will not be taken.
        let claimed = self.ordered("slow").await?;
        let lists = self.lists().await?;
        self.venues(&self.stranger).await?;
        self.page("/").await?;
        let refund_key = order.key.clone();
        Ok(UnderWay { code, scan, used, hold, order, claimed, given_back, refund_key, lists })
    }

    /// Waits until the replica has everything that was written.
    pub async fn followed(&self) -> anyhow::Result<()> {
        let replica = self.replica.as_ref().context("a replica")?;
        let position = self.primary.sql("postgres", "select pg_current_wal_lsn()")?;
        let asked = format!("select pg_last_wal_replay_lsn() >= '{position}'");
        until("the replica has it", PATIENCE, || async { Ok((replica.sql("postgres", &asked)? == "t").then_some(())) })
            .await
    }

    /// Primary and replica, at once.
    pub async fn take_cold(&mut self) -> anyhow::Result<()> {
        self.primary.kill().await?;
        self.replica.as_mut().context("a replica")?.kill().await
    }

    /// Both of them.
    pub async fn give_cold_back(&mut self) -> anyhow::Result<()> {
        self.primary.rise().await?;
        self.replica.as_mut().context("a replica")?.rise().await
    }

    /// The order of an earlier answer, as it is now.
    pub async fn see(&self, order: &Value) -> anyhow::Result<Value> {
        self.look(&Placed { id: text(order, "id")?, token: text(order, "token")? }).await
    }

    /// Waits until the order's refund is carried out.
    pub async fn refunded(&self, order: &Value) -> anyhow::Result<()> {
        until("the refund is carried out", PATIENCE, || async {
            let seen = self.see(order).await?;
            Ok((seen["refunds"][0]["state"] == "done" && seen["state"] == "refunded").then_some(()))
        })
        .await
    }

    /// Waits until the scan, sent again, is durable: the same answer as before.
    pub async fn durable(&self, scan: &ScanRequest) -> anyhow::Result<()> {
        until("the scan is durable", PATIENCE, || async {
            let sent = self.scanner.send(scan).await?.must(200)?;
            Ok((scanned(&sent) == admitted(true, false)).then_some(()))
        })
        .await
    }

    /// Counts somebody who was let in, for [`Self::afterwards`].
    pub fn let_in(&mut self) {
        self.admissions += 1;
    }

    /// Waits until the order is paid.
    pub async fn paid(&self, order: &Placed) -> anyhow::Result<Value> {
        until("the order is paid", PATIENCE, || async {
            let seen = self.look(order).await?;
            match seen["state"].as_str() {
                Some("paid") => Ok(Some(seen)),
                Some("awaiting_payment") => Ok(None),
                other => bail!("the order is {other:?}"),
            }
        })
        .await
    }

    /// Waits until `/readyz` says so of a dependency; `ask` is what finds out.
    pub async fn reaches<F: Future<Output = anyhow::Result<()>>>(
        &self,
        dependency: &str,
        health: &str,
        ask: impl Fn() -> F,
    ) -> anyhow::Result<()> {
        until(&format!("{dependency} is {health}"), PATIENCE, || async {
            if self.health(dependency).await? == health {
                return Ok(Some(()));
            }
            ask().await?;
            Ok(None)
        })
        .await
    }

    /// Waits until a dependency is known to be back, without anybody's request.
    pub async fn returns(&self, dependency: &str) -> anyhow::Result<()> {
        self.reaches(dependency, "up", || async { Ok(()) }).await
    }

    async fn books_agree(&self) -> anyhow::Result<()> {
        let mut journal = std::collections::BTreeMap::<String, i64>::new();
        for entry in self.organizer.balanced_journal().await? {
            *journal.entry(entry.order.trim_start_matches("ord_").to_owned()).or_default() += entry.clearing;
        }
        for (order, money) in books::money_by_order(&self.data)? {
            let said = journal.remove(order.trim_start_matches("ord_")).unwrap_or_default();
            ensure!(said == money, "of order {order} the provider has {money}, the journal {said}");
        }
        ensure!(journal.values().all(|money| *money == 0), "money that no provider has: {journal:?}");
        Ok(())
    }

    /// Nothing lost, nothing doubled, nothing stuck.
    pub async fn afterwards(&self, verdicts: &mut Verdicts) -> anyhow::Result<()> {
        let scans = self.organizer.all(&format!("/api/v1/scans?event={}", self.event.id)).await?;
        let admitted = scans.iter().filter(|scan| scan["result"] == "admitted").count();
        verdicts.same("in the end each ticket that was let in has admitted once", admitted, self.admissions);
        let conflicts = self.organizer.all(&format!("/api/v1/conflicts?event={}", self.event.id)).await?;
        verdicts.same("and nothing is in conflict", conflicts.len(), 0);
        verdicts.judge("the journal balances, and says what the provider's books say", self.books_agree().await);
        let counts = self.organizer.counts(&self.event.id).await?;
        verdicts.same("no place is lost", counts.all(), u64::from(SEATS + FLOOR));
        Ok(())
    }
}

async fn organization(node: &Process, client: &Client, name: &str) -> anyhow::Result<Organizer> {
    let said = node.ask(&["organization", name, name]).await?;
    let key = said.lines().find(|line| line.starts_with("vgk_")).context("a key")?.to_owned();
    Ok(Organizer { client: client.clone(), key })
}

fn environment(redis: &RedisServer, postgres: &Postgres, provider: &str) -> Vec<(&'static str, String)> {
    let many = || "100000000".to_owned();
    vec![
        ("VOELGOED__WARM__URL", redis.url()),
        ("VOELGOED__COLD__URL", postgres.url(DATABASE)),
        ("VOELGOED__SECRETS__MASTER", MASTER.to_owned()),
        ("VOELGOED__SANDBOX__URL", format!("http://{provider}")),
        ("VOELGOED__LIMITS__ADDRESS_BURST", many()),
        ("VOELGOED__LIMITS__HOLD_BURST", many()),
        ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX", many()),
        ("VOELGOED__LIMITS__READ_BURST", many()),
        ("VOELGOED__LIMITS__SESSION_BURST", many()),
        ("VOELGOED__SALE__POLL_EVERY", "1s".to_owned()),
        ("VOELGOED__LOG__FILTER", "info".to_owned()),
    ]
}
