//! The cold tier that cannot write on one node with embedded tiers: its disk refuses every write (`prlimit --fsize=0`), reads go on.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use reqwest::Method;
use serde_json::Value;
use tokio::process::Command;
use voelgoed_testkit::buyer::{Buyer, OrderRequest, Placed, held, placed};
use voelgoed_testkit::client::{Answer, Call, Client};
use voelgoed_testkit::organizer::{Event, Organizer, text};
use voelgoed_testkit::scanner::Scanner;
use voelgoed_testkit::server::{Server, Setup, fresh_directory};
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use super::PATIENCE;
use super::rows::{reason, scanned as scan};

/// Seats of the event.
const SEATS: u32 = 40;
/// What a session may hold while nothing can be ordered.
const CAPPED: u32 = 4;

/// Everybody who looks at the broken platform.
struct Scene {
    server: Server,
    client: Client,
    organizer: Organizer,
    event: Event,
    scanner: Scanner,
}

/// Runs the suite.
pub async fn run(binary: &Path, root: &Path, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let scene = open(binary, root).await?;
    let mut buyer = Buyer::new(scene.client.clone());
    let known = scene.ticket(&mut buyer, 0).await?;
    let fresh = scene.ticket(&mut buyer, 1).await?;
    let first = scene.scanner.send(&scene.scanner.read(&known)).await?.must(200)?;
    verdicts.same("with cold a scan is durable", scan(&first), ("admitted".to_owned(), true, false));
    // Held before, ordered while the disk refuses, and afterwards.
    let hold = held(buyer.hold_seat(&scene.event, 2).await?)?;
    let order = OrderRequest::new(&hold, "ok");
    let other = held(buyer.hold_seat(&scene.event, 3).await?)?;
    let slow = placed(buyer.order(&OrderRequest::new(&other, "slow")).await?)?;

    scene.disk(false).await?;
    let away = until("cold is known to be away", PATIENCE, || async {
        let refused = buyer.clone().order(&order).await?;
        ensure!(refused.status == 503, "an order was answered {} {}", refused.status, refused.body);
        Ok((scene.health("cold").await? != "up").then_some(()))
    });
    verdicts.judge("a disk that refuses is found by what is asked of it", away.await);
    while_away(&scene, &mut buyer, &order, verdicts).await?;
    let kept = scene.scanner.read(&fresh);
    let let_in = scene.scanner.send(&kept).await?.must(200)?;
    verdicts.same("warm decides a scan, not durable", scan(&let_in), ("admitted".to_owned(), false, true));
    let again = scene.scanner.send(&scene.scanner.read(&fresh)).await?.must(200)?;
    verdicts.same("and lets nobody in on it again", reason(&again), "already_used".to_owned());
    let used = scene.scanner.send(&scene.scanner.read(&known)).await?.must(200)?;
    verdicts.same("nor on what cold had admitted before", reason(&used), "already_used".to_owned());

    scene.disk(true).await?;
    let back = until("cold is back", PATIENCE, || async { Ok((scene.health("cold").await? == "up").then_some(())) });
    verdicts.judge("the disk's return is found without anybody's request", back.await);
    let durable = until("the scan is durable", PATIENCE, || async {
        let sent = scene.scanner.send(&kept).await?.must(200)?;
        Ok((scan(&sent) == ("admitted".to_owned(), true, false)).then_some(()))
    });
    verdicts.judge("the scan sent again is the same one, durable", durable.await);
    let late = scene.scanner.send(&scene.scanner.read(&fresh)).await?.must(200)?;
    verdicts.same(
        "its ticket stays used",
        (reason(&late), late["durable"].as_bool()),
        ("already_used".to_owned(), Some(true)),
    );
    let placed = placed(buyer.order(&order).await?)?;
    for (claim, order) in
        [("the refused order, asked for again, is paid", &placed), ("the order that was open is paid", &slow)]
    {
        verdicts.judge(claim, scene.paid(&mut buyer, order).await.map(drop));
    }
    afterwards(&scene, verdicts).await
}

async fn while_away(
    scene: &Scene,
    buyer: &mut Buyer,
    order: &OrderRequest,
    verdicts: &mut Verdicts,
) -> anyhow::Result<()> {
    let ready = scene.operator()?.get("/readyz", Call::default()).await?;
    verdicts.same("the node stays ready, degraded", ready["leaving"].as_bool(), Some(false));
    let path = format!("/api/v1/events/{}/availability", scene.event.id);
    let seen = scene.client.get(&path, Call::default()).await?;
    verdicts.same("the seat map is live", seen["stale"].as_bool(), Some(false));
    verdicts.judge("the shop is open", scene.client.get("/api/v1/events", Call::default()).await.map(drop));
    let refused = buyer.order(order).await?;
    verdicts.same("orders are refused with a time", refusal(&refused), (503, "try_again".to_owned(), true));
    let mut few = Buyer::new(scene.client.clone());
    let one = few.hold_general(&scene.event, CAPPED).await?;
    verdicts.same("places can be held", one.status, 201);
    let one = held(one)?;
    let more = few.change(&one, &scene.event, None).await?;
    verdicts.same("but none beyond them by a change", (more.status, code(&more)), (409, "limit_reached".to_owned()));
    let fewer = few.change(&one, &scene.event, one.places.first().copied()).await?;
    verdicts.same("and one can be given back", fewer.status, 200);
    let many = Buyer::new(scene.client.clone()).hold_general(&scene.event, CAPPED + 1).await?;
    verdicts.same("but few at once", (many.status, code(&many)), (409, "limit_reached".to_owned()));
    Ok(())
}

/// Nothing lost, nothing doubled, nothing stuck.
async fn afterwards(scene: &Scene, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let scans = scene.organizer.all(&format!("/api/v1/scans?event={}", scene.event.id)).await?;
    let admitted = scans.iter().filter(|scan| scan["result"] == "admitted").count();
    verdicts.same("each ticket has admitted once", admitted, 2);
    let conflicts = scene.organizer.all(&format!("/api/v1/conflicts?event={}", scene.event.id)).await?;
    verdicts.same("and nothing is in conflict", conflicts.len(), 0);
    verdicts.judge("the journal balances", scene.organizer.balanced_journal().await.map(drop));
    Ok(())
}

async fn open(binary: &Path, root: &Path) -> anyhow::Result<Scene> {
    let data = fresh_directory(root, "disk")?;
    let binary = std::fs::canonicalize(binary).context("the binary")?;
    let environment = vec![
        ("VOELGOED_BINARY", binary.display().to_string()),
        ("VOELGOED__LIMITS__ADDRESS_BURST", "100000000".to_owned()),
        ("VOELGOED__LIMITS__HOLD_BURST", "100000000".to_owned()),
        ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX", "100000000".to_owned()),
        ("VOELGOED__LIMITS__READ_BURST", "100000000".to_owned()),
        ("VOELGOED__LIMITS__SESSION_BURST", "100000000".to_owned()),
        ("VOELGOED__SALE__POLL_EVERY", "1s".to_owned()),
        ("VOELGOED__LOG__FILTER", "info".to_owned()),
    ];
    let server = Server::start(Setup { binary: forgiving(root)?, data, environment }).await?;
    let organizer = Organizer::of(&server.url(), &server.card)?;
    let event = organizer.make_event("Cells", SEATS, 100).await?;
    let scanner = Scanner::pair(&organizer, &event).await?;
    Ok(Scene { client: Client::new(&server.url())?, server, organizer, event, scanner })
}

/// A start of the binary that is told of a refused write instead of being ended by it; its log goes through somebody who may write.
const FORGIVING: &str = r#"#!/bin/sh
trap '' XFSZ
rm -f "$0.pipe" && mkfifo "$0.pipe"
cat "$0.pipe" >"$0.log" &
exec "$VOELGOED_BINARY" "$@" 2>"$0.pipe"
"#;

fn forgiving(root: &Path) -> anyhow::Result<PathBuf> {
    let script = root.join("forgiving.sh");
    std::fs::write(&script, FORGIVING)?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    Ok(std::fs::canonicalize(script)?)
}

impl Scene {
    /// Lets the server's process write files, or refuses it.
    async fn disk(&self, writes: bool) -> anyhow::Result<()> {
        let pid = self.server.pid().context("the server runs")?.to_string();
        let limit = if writes { "--fsize=unlimited:unlimited" } else { "--fsize=0:unlimited" };
        let status = Command::new("prlimit").args(["--pid", &pid, limit]).status().await?;
        ensure!(status.success(), "prlimit: {status}");
        Ok(())
    }

    fn operator(&self) -> anyhow::Result<Client> {
        Client::new(self.server.internal_url())
    }

    async fn health(&self, dependency: &str) -> anyhow::Result<String> {
        let ready = self.operator()?.call(Method::GET, "/readyz", Call::default()).await?.body;
        let all = ready["dependencies"].as_array().context("dependencies")?;
        let found = all.iter().find(|one| one["dependency"] == dependency).context("the dependency")?;
        text(found, "health")
    }

    /// Buys a seat; its code.
    async fn ticket(&self, buyer: &mut Buyer, place: u32) -> anyhow::Result<String> {
        let hold = held(buyer.hold_seat(&self.event, place).await?)?;
        let order = placed(buyer.order(&OrderRequest::new(&hold, "ok")).await?)?;
        text(&self.paid(buyer, &order).await?["tickets"][0], "code")
    }

    async fn paid(&self, buyer: &mut Buyer, order: &Placed) -> anyhow::Result<Value> {
        until("the order is paid", PATIENCE, || {
            let mut buyer = buyer.clone();
            async move {
                let seen = buyer.look(order).await?;
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

fn code(answer: &Answer) -> String {
    answer.body["code"].as_str().unwrap_or_default().to_owned()
}

fn refusal(answer: &Answer) -> (u16, String, bool) {
    (answer.status, code(answer), answer.body["retry_after"].as_u64().is_some())
}
