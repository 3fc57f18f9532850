//! The primary of Postgres is killed under load and its synchronous standby promoted, as docs/runbooks/promotion.md says: no acknowledged order is
//! lost, the nodes sell on after a restart with the new address, and `doctor` says before and after what a promotion would lose.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::ensure;
use voelgoed_testkit::cluster::{Plan, Platform, end_leftovers};
use voelgoed_testkit::organizer::{Event, Organizer};
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use crate::Nodes;
use crate::crowd::Crowd;

const BUYERS: usize = 8;
/// Orders that are acknowledged before the primary is killed, and again after the promotion.
const ORDERS: usize = 60;
/// Whatever another process does is done by then.
const SOON: Duration = Duration::from_secs(90);

/// Sells, kills, promotes, sells on.
pub async fn run(nodes: &Nodes, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let root = nodes.root.join("promotion");
    if root.exists() {
        end_leftovers(&root.canonicalize()?)?;
        std::fs::remove_dir_all(&root)?;
    }
    let mut platform = Platform::start(Plan {
        binary: nodes.binary.canonicalize()?,
        root,
        roles: vec!["web", "web", "worker"],
        redis_cluster: false,
        replica: true,
        haproxy: Some(nodes.haproxy.canonicalize()?),
        environment: crate::wide(),
        time_scale: 0.2,
    })
    .await?;
    verdicts.judge("doctor says what a promotion loses without a synchronous standby", says(&platform, "none (").await);
    platform.postgres.make_synchronous().await?;
    verdicts.judge("doctor says what it may not see", says(&platform, "grant pg_monitor").await);
    platform.postgres.grant_monitor().await?;
    verdicts.judge("doctor says that a promotion loses nothing", says(&platform, "lacks nothing").await);
    let organizer = Organizer::of(&platform.url, &platform.card)?;
    let event = organizer.make_event("Promotion", 1, 100_000).await?;
    let mut told = sell(&platform, &event, true).await?;
    let watch = Instant::now();
    let address = platform.postgres.promote().await?;
    for node in &mut platform.nodes {
        node.tell("VOELGOED__COLD__URL", &address);
        node.tell("VOELGOED__COLD__REPLICAS", "");
        // One that cannot drain for want of its store is ended by its supervisor; it is started again all the same.
        if let Err(error) = node.stop().await {
            println!("{error:#}");
        }
        node.start().await?;
        node.ready().await?;
    }
    platform.note()?;
    println!("promoted, and every node is ready again, after {:.1} s", watch.elapsed().as_secs_f64());
    crate::rolling::balanced(&platform).await?;
    told.extend(sell(&platform, &event, false).await?);
    let kept = until("every acknowledged order is paid", SOON, || async {
        let listed = organizer.orders(&event.id).await?;
        let paid = listed.iter().filter(|order| order["state"] == "paid").filter_map(|order| order["id"].as_str());
        let paid: BTreeSet<&str> = paid.collect();
        Ok(told.iter().all(|order| paid.contains(order.as_str())).then_some(()))
    });
    verdicts.judge("a promotion loses no acknowledged order, and all of them are paid", kept.await);
    verdicts.judge("the books balance", organizer.balanced_journal().await.map(drop));
    verdicts.judge("doctor says that there is no standby any more", says(&platform, "none (0").await);
    platform.stop().await
}

/// Lets buyers come until enough orders are acknowledged; at the peak of it the primary is killed, where that is wanted.
async fn sell(platform: &Platform, event: &Event, kill: bool) -> anyhow::Result<Vec<String>> {
    let crowd = Crowd::gather(&platform.url, event, BUYERS)?;
    let enough =
        until("orders are acknowledged", SOON, || async { Ok((crowd.tally.orders().len() >= ORDERS).then_some(())) });
    enough.await?;
    if kill {
        platform.postgres.primary.signal("-KILL").await?;
        until("nobody is answered any more", SOON, || async { Ok(crowd.tally.dropped().first().cloned()) }).await?;
    }
    let tally = crowd.disperse().await;
    let (told, dropped) = (tally.orders(), tally.dropped());
    println!("{} orders were acknowledged, {} requests were not answered", told.len(), dropped.len());
    ensure!(kill || dropped.is_empty(), "the first: {}", dropped[0]);
    Ok(told)
}

/// What `voelgoed doctor` says of standbys.
async fn says(platform: &Platform, words: &str) -> anyhow::Result<()> {
    let said = platform.nodes[0].ask(&["doctor"]).await?;
    let line = said.lines().find(|line| line.starts_with("synchronous standby")).unwrap_or_default();
    println!("{line}");
    ensure!(line.contains(words), "`{words}` is not in: {said}");
    Ok(())
}
