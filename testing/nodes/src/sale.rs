//! One sale across two nodes on one Redis and one Postgres, and another one in which a node is killed between hold and order.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;
use voelgoed_testkit::buyer::{Buyer, OrderRequest, Placed, held, placed};
use voelgoed_testkit::client::{Call, Client};
use voelgoed_testkit::cluster::{Plan, Platform};
use voelgoed_testkit::organizer::{Counts, Event, Organizer, text};
use voelgoed_testkit::scanner::Scanner;
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use crate::Nodes;
use crate::viewer::Viewer;

/// Whatever another process does is done by then.
const SOON: Duration = Duration::from_secs(30);
/// Buyers who want one seat at the same moment, half of them at each node.
const RIVALS: u32 = 40;

/// Runs both sales.
pub async fn run(nodes: &Nodes, long: bool, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let root = nodes.root.join("sale");
    if root.exists() {
        voelgoed_testkit::cluster::end_leftovers(&root.canonicalize()?)?;
        std::fs::remove_dir_all(&root)?;
    }
    let watch = Instant::now();
    let platform = Platform::start(Plan {
        binary: nodes.binary.clone(),
        root,
        roles: vec!["all", "all"],
        redis_cluster: long,
        replica: long,
        haproxy: Some(nodes.haproxy.canonicalize()?),
        environment: vec![
            ("VOELGOED__LOG__FILTER".to_owned(), "info".to_owned()),
            ("VOELGOED__LIMITS__ADDRESS_BURST".to_owned(), "100000000".to_owned()),
            ("VOELGOED__LIMITS__HOLD_BURST".to_owned(), "100000000".to_owned()),
            ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX".to_owned(), "100000000".to_owned()),
            ("VOELGOED__LIMITS__READ_BURST".to_owned(), "100000000".to_owned()),
        ],
        time_scale: 0.2,
    })
    .await?;
    println!("two nodes are up after {:.1} s", watch.elapsed().as_secs_f64());
    let mut hall = Hall::open(platform).await?;
    verdicts.judge("hold on A, order on B, paid, ticket; scan on A, the second scan on B refused", hall.across().await);
    verdicts.judge("of many who want one seat at two nodes exactly one gets it", hall.rivals().await);
    verdicts.judge("kill -9 of A between hold and order: all goes on at B", hall.killed_between().await);
    verdicts.judge("A comes back and sees what was sold; the books balance", hall.back_again().await);
    hall.platform.stop().await
}

/// An event on sale at both nodes.
struct Hall {
    platform: Platform,
    organizer: Organizer,
    event: Event,
    scanner: Scanner,
    /// Where each viewer stood at the end.
    position: String,
}

impl Hall {
    async fn open(platform: Platform) -> anyhow::Result<Self> {
        let organizer = Organizer::of(&platform.nodes[0].url(), &platform.card)?;
        let event = organizer.make_event("Across", 100, 50).await?;
        let scanner = Scanner::pair(&organizer, &event).await?;
        Ok(Self { platform, organizer, event, scanner, position: String::new() })
    }

    async fn across(&mut self) -> anyhow::Result<()> {
        let [a, b] = [self.platform.nodes[0].client()?, self.platform.nodes[1].client()?];
        let path = format!("/api/v1/events/{}/stream", self.event.id);
        let mut viewer = Viewer::open(&self.platform.nodes[1].url(), &path, None, "").await?;
        viewer.next().await?;
        let mut at_a = Viewer::open(&self.platform.nodes[0].url(), &path, None, "").await?;
        at_a.next().await?;
        for node in [&a, &b] {
            self.viewers(node, 2).await.context("each node counts the viewers of both")?;
        }
        drop(at_a);
        let mut buyer = Buyer::new(a.clone());
        let watch = Instant::now();
        let hold = held(buyer.hold_seat(&self.event, 5).await?)?;
        viewer.sees(5, 1).await.context("the viewer at B sees A's hold")?;
        println!("a hold at A was seen at B {} ms after it was asked for", watch.elapsed().as_millis());
        let mut at_b = buyer.at(&b);
        let order = placed(at_b.order(&OrderRequest::new(&hold, "twice")).await?)?;
        // Its stream at A, though B has taken it and either may learn of the payment.
        let path = format!("/api/v1/orders/{}/stream", order.id);
        let mut watcher = Viewer::open(&self.platform.nodes[0].url(), &path, Some(&order.token), "").await?;
        watcher.order_is("paid").await.context("the order's stream at A tells of the payment")?;
        viewer.sees(5, 2).await.context("the viewer at B sees the seat sold")?;
        self.position.clone_from(&viewer.position);
        let code = code(&paid(&buyer, &order).await?)?;
        self.scanned(0, &code, "admitted").await?;
        self.scanned(1, &code, "already_used").await
    }

    async fn rivals(&mut self) -> anyhow::Result<()> {
        let clients = [self.platform.nodes[0].client()?, self.platform.nodes[1].client()?];
        let tries = (0..RIVALS).map(|number| {
            let (mut buyer, event) = (Buyer::new(clients[number as usize % 2].clone()), &self.event);
            async move { buyer.hold_seat(event, 20).await.map(|answer| answer.status) }
        });
        let ends: Vec<u16> = futures::future::try_join_all(tries).await?;
        let granted = ends.iter().filter(|status| **status == 201).count();
        let refused = ends.iter().filter(|status| **status == 409).count();
        ensure!(granted == 1 && refused == ends.len() - 1, "{granted} granted, {refused} refused of {}", ends.len());
        Ok(())
    }

    async fn killed_between(&mut self) -> anyhow::Result<()> {
        let [a, b] = [self.platform.nodes[0].client()?, self.platform.nodes[1].client()?];
        let path = format!("/api/v1/events/{}/stream", self.event.id);
        let mut viewer = Viewer::open(&self.platform.nodes[0].url(), &path, None, &self.position).await?;
        let mut buyer = Buyer::new(a);
        let hold = held(buyer.hold_seat(&self.event, 7).await?)?;
        viewer.sees(7, 1).await?;
        self.platform.nodes[0].kill().await?;
        let mut at_b = buyer.at(&b);
        let order = placed(at_b.order(&OrderRequest::new(&hold, "ok")).await?)?;
        // The viewer goes on at B where it stood at A: what it missed comes as deltas.
        let mut viewer = Viewer::open(&self.platform.nodes[1].url(), &path, None, &viewer.position).await?;
        viewer.sees(7, 2).await.context("a viewer of A resumes at B without a gap")?;
        let code = code(&paid(&at_b, &order).await?)?;
        self.scanned(1, &code, "admitted").await
    }

    async fn back_again(&mut self) -> anyhow::Result<()> {
        self.platform.nodes[0].start().await?;
        self.platform.nodes[0].ready().await?;
        let expected = Counts { free: 147, held: 1, sold: 2, blocked: 0 };
        until("A shows what was sold meanwhile", SOON, || async {
            Ok((self.organizer.counts(&self.event.id).await? == expected).then_some(()))
        })
        .await?;
        let nodes = until("A lists both nodes", SOON, || async {
            let ready = self.platform.nodes[0].operator()?.get("/readyz", Call::default()).await?;
            Ok(ready["nodes"].as_array().filter(|nodes| nodes.len() >= 2).cloned())
        });
        println!("{}", Value::Array(nodes.await?));
        self.viewers(&self.organizer.client, 0)
            .await
            .context("those whom the dead node had are not counted any more")?;
        let orders = self.organizer.orders(&self.event.id).await?;
        ensure!(orders.len() == 2 && orders.iter().all(|order| order["state"] == "paid"), "{orders:?}");
        let journal = self.organizer.balanced_journal().await?;
        ensure!(journal.iter().filter(|entry| entry.kind == "sale").count() == 2, "{journal:?}");
        Ok(())
    }

    /// Waits until a node says that so many watch the event on all nodes together.
    async fn viewers(&self, node: &Client, count: u64) -> anyhow::Result<()> {
        let path = format!("/api/v1/events/{}", self.event.id);
        until("the viewers of all nodes", SOON, || async {
            let event = node.get(&path, Call::default()).await?;
            Ok((event["viewers"] == count).then_some(()))
        })
        .await
    }

    /// A scan at a node, which must end so.
    async fn scanned(&self, node: usize, code: &str, expected: &str) -> anyhow::Result<()> {
        let scanner = self.scanner.at(&self.platform.nodes[node].client()?);
        let answer = scanner.send(&scanner.read(code)).await?.must(200)?;
        let word = if answer["result"] == "admitted" { "admitted" } else { answer["reason"].as_str().unwrap_or("?") };
        ensure!(word == expected, "node {node} says {answer}");
        if expected == "already_used" {
            ensure!(answer["first"].is_object(), "a duplicate names the first scan: {answer}");
        }
        Ok(())
    }
}

async fn paid(buyer: &Buyer, order: &Placed) -> anyhow::Result<Value> {
    until("the order is paid", SOON, || {
        let mut buyer = buyer.clone();
        async move {
            let seen = buyer.look(order).await?;
            Ok((seen["state"] == "paid").then_some(seen))
        }
    })
    .await
}

fn code(order: &Value) -> anyhow::Result<String> {
    text(order["tickets"].get(0).context("a paid order has tickets")?, "code")
}
