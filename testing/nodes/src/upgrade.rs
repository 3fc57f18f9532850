//! Nodes are upgraded one by one under load: no request fails, and no effect of an outbox event is lost that the older program does not know.
//!
//! The short run plants rows of an unknown kind and of an unknown format under today's program. The long run (`--long`) builds the program of
//! [`PREVIOUS`] from the repository's history and upgrades real nodes from it; it takes minutes.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::json;
use tokio::process::Command;
use voelgoed_testkit::client::{Call, Client};
use voelgoed_testkit::cluster::{Node, Plan, Platform, end_leftovers};
use voelgoed_testkit::organizer::{Event, Organizer, text};
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use crate::Nodes;
use crate::crowd::Crowd;

/// The program that people upgrade from: it knows no formats, and stops its batch at a row that it cannot read.
const PREVIOUS: &str = "4536878";
/// What it knows of the limits that the load would meet.
const KNOWN: &[&str] = &["SESSION_BURST", "ADDRESS_BURST", "__HOLD_BURST"];
const BUYERS: usize = 6;
/// Orders that are acknowledged in each phase.
const ORDERS: usize = 40;
/// API keys that are revoked in each phase: each is an outbox event of format 2.
const KEYS: usize = 5;
/// Whatever another process does is done by then.
const SOON: Duration = Duration::from_secs(120);
const LAME_DUCK: &str = "3s";

const WAITING: &str = "select count(*) from outbox where delivered_at is null";
const NEWER: &str = "select count(*) from outbox where format > 1";
const NEWER_WAITING: &str = "select count(*) from outbox where format > 1 and delivered_at is null";

/// Plants rows that today's program does not know, under load.
pub async fn planted(nodes: &Nodes, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let platform = start(nodes, nodes.binary.canonicalize()?, "planted", crate::wide()).await?;
    let organizer = Organizer::of(&platform.url, &platform.card)?;
    let event = organizer.make_event("Planted", 1, 100_000).await?;
    let crowd = Crowd::gather(&platform.url, &event, BUYERS)?;
    for (body, format) in [
        (r#"{"v":1,"fact":{"fact":"a_later_invention"}}"#, 1),
        (r#"{"v":2,"fact":{"fact":"listing_changed"}}"#, 1),
        (r#"{"v":1"#, 1),
        (r#"{"v":9,"fact":null}"#, 99),
    ] {
        let insert = format!(
            "insert into outbox (organization_id, id, aggregate, version, part, body, at, due_at, format)
             select id, gen_random_uuid(), gen_random_uuid(), 1, 0, '{body}', 0, 0, {format} from organizations limit 1"
        );
        platform.postgres.ask(&insert).await?;
    }
    enough(&crowd, ORDERS).await?;
    let tally = crowd.disperse().await;
    judge_requests(verdicts, "planted rows", &tally);
    verdicts
        .judge("orders are paid beside rows that cannot be read", paid(&organizer, &event, tally.orders().len()).await);
    let flows = until("all that can be read is relayed", SOON, || async {
        Ok((platform.postgres.ask(WAITING).await?.trim() == "4").then_some(()))
    });
    verdicts.judge("rows that cannot be read hold up nobody but their own aggregate", flows.await);
    let said = match platform.nodes[0].ask(&["doctor"]).await {
        Ok(text) => text,
        Err(error) => format!("{error:#}"),
    };
    verdicts.same("doctor names them", said.contains("4 rows wait that this program cannot read"), true);
    platform.stop().await
}

/// Builds the previous program and upgrades a platform of two web nodes and a worker from it.
pub async fn upgraded(nodes: &Nodes, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let today = nodes.binary.canonicalize()?;
    let previous = build_previous(&nodes.root).await?;
    let (known, newer): (Vec<_>, Vec<_>) =
        crate::wide().into_iter().partition(|(name, _)| KNOWN.iter().any(|known| name.ends_with(known)));
    let mut platform = start(nodes, previous, "upgraded", known).await?;
    let organizer = Organizer::of(&platform.url, &platform.card)?;
    let event = organizer.make_event("Upgraded", 1, 100_000).await?;
    let crowd = Crowd::gather(&platform.url, &event, BUYERS)?;
    enough(&crowd, ORDERS).await?;
    let upgrade = |node: &mut Node| {
        node.runs(&today);
        newer.iter().for_each(|(name, value)| node.tell(name, value));
    };
    upgrade(&mut platform.nodes[2]);
    platform.nodes[2].ask(&["migrate"]).await?;
    let mut revoked = Vec::new();
    // Web nodes first: the old worker relays while new nodes write what it does not know.
    for at in 0..platform.nodes.len() {
        crate::rolling::balanced(&platform).await?;
        platform.nodes[at].stop().await?;
        upgrade(&mut platform.nodes[at]);
        platform.nodes[at].start().await?;
        platform.nodes[at].ready().await?;
        if platform.nodes[at].serves() {
            // Its readiness is at its internal listener from now on. Once it is ready: a process of HAProxy begins with every node in use.
            platform.reload_haproxy(&nodes.haproxy.canonicalize()?).await?;
        }
        platform.note()?;
        if platform.nodes[at].serves() {
            revoked.extend(revoke(&organizer, &platform.nodes[at].client()?).await?);
        }
        let so_far = crowd.tally.orders().len();
        enough(&crowd, so_far + ORDERS).await?;
        if at == 1 {
            let waiting = platform.postgres.ask(NEWER_WAITING).await?;
            verdicts.same("what the old worker does not know waits for a new one", waiting.trim(), "10");
        }
    }
    let tally = crowd.disperse().await;
    judge_requests(verdicts, "an upgrade from the previous program", &tally);
    verdicts.judge("every acknowledged order is paid", paid(&organizer, &event, tally.orders().len()).await);
    let relayed = until("all is relayed", SOON, || async {
        Ok((platform.postgres.ask(WAITING).await?.trim() == "0").then_some(()))
    });
    verdicts.judge("no effect is lost: the outbox is empty", relayed.await);
    let newer = platform.postgres.ask(NEWER).await?;
    verdicts.same("events of a kind that the old program does not know were among them", newer.trim(), "10");
    for node in platform.nodes.iter().filter(|node| node.serves()) {
        verdicts.judge("revoked keys are refused at every node", refused(&node.client()?, &revoked).await);
    }
    platform.stop().await
}

async fn start(
    nodes: &Nodes,
    binary: PathBuf,
    name: &str,
    mut environment: Vec<(String, String)>,
) -> anyhow::Result<Platform> {
    let root = nodes.root.join(name);
    if root.exists() {
        end_leftovers(&root.canonicalize()?)?;
        std::fs::remove_dir_all(&root)?;
    }
    environment.push(("VOELGOED__SERVER__LAME_DUCK".to_owned(), LAME_DUCK.to_owned()));
    Platform::start(Plan {
        binary,
        root,
        roles: vec!["web", "web", "worker"],
        redis_cluster: false,
        replica: false,
        haproxy: Some(nodes.haproxy.canonicalize()?),
        environment,
        time_scale: 0.2,
    })
    .await
}

/// The release binary of [`PREVIOUS`], from a worktree of its own below `root`; kept between runs.
async fn build_previous(root: &Path) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(root)?;
    let tree = root.canonicalize()?.join(format!("previous-{PREVIOUS}"));
    let binary = tree.join("target/release/voelgoed");
    if binary.exists() {
        return Ok(binary);
    }
    if !tree.exists() {
        let mut git = Command::new("git");
        git.args(["worktree", "add", "--detach"]).arg(&tree).arg(PREVIOUS);
        succeed(git).await?;
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "-p", "voelgoed", "--locked", "--target-dir"]).arg(tree.join("target"));
    cargo.current_dir(&tree);
    println!("building the program of {PREVIOUS} in {}", tree.display());
    succeed(cargo).await?;
    Ok(binary)
}

async fn succeed(mut command: Command) -> anyhow::Result<()> {
    let status = command.kill_on_drop(true).status().await?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

async fn enough(crowd: &Crowd, orders: usize) -> anyhow::Result<()> {
    until("orders are acknowledged", SOON, || async { Ok((crowd.tally.orders().len() >= orders).then_some(())) }).await
}

fn judge_requests(verdicts: &mut Verdicts, what: &str, tally: &crate::crowd::Tally) {
    let dropped = tally.dropped();
    println!(
        "{what}: {} answered, {} not, {} orders",
        tally.good.load(Ordering::Relaxed),
        dropped.len(),
        tally.orders().len()
    );
    let outcome =
        dropped.first().map_or(Ok(()), |first| Err(anyhow::anyhow!("{} failed, the first: {first}", dropped.len())));
    verdicts.judge(&format!("{what}: no request fails"), outcome);
}

async fn paid(organizer: &Organizer, event: &Event, orders: usize) -> anyhow::Result<()> {
    until("every acknowledged order is paid", SOON, || async {
        let listed = organizer.orders(&event.id).await?;
        Ok((listed.len() >= orders && listed.iter().all(|order| order["state"] == "paid")).then_some(()))
    })
    .await
}

/// Makes keys and revokes them at one node; the secrets.
async fn revoke(organizer: &Organizer, node: &Client) -> anyhow::Result<Vec<String>> {
    let mut secrets = Vec::new();
    for number in 0..KEYS {
        let body = json!({"name": format!("Key {number}"), "scopes": ["catalog"]});
        let made = organizer.call(Method::POST, "/api/v1/api-keys", None, Some(&body)).await?.must(201)?;
        let (id, secret) = (text(&made, "id")?, text(&made, "secret")?);
        let call = || Call { bearer: Some(&organizer.key), ..Call::default() };
        let answer = node.call(Method::DELETE, &format!("/api/v1/api-keys/{id}"), call()).await?;
        ensure!(answer.status == 204, "revoking answered {}", answer.status);
        secrets.push(secret);
    }
    Ok(secrets)
}

async fn refused(node: &Client, secrets: &[String]) -> anyhow::Result<()> {
    for secret in secrets {
        let call = Call { bearer: Some(secret), ..Call::default() };
        let status = node.call(Method::GET, "/api/v1/venues", call).await.context("a revoked key")?.status;
        ensure!(status == 401, "a revoked key was answered {status}");
    }
    Ok(())
}
