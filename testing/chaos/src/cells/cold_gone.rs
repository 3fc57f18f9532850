//! The cold tier gone, primary and replica; and then the warm tier with it.

use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use super::PATIENCE;
use super::rows::{admitted, reason, refused, scanned, told};
use super::scene::{Scene, UnderWay};

/// Plays both columns.
pub async fn run(scene: &mut Scene, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let before = scene.under_way().await?;
    let events = scene.events().await?;
    scene.take_cold().await?;
    let found = scene.reaches("cold", "down", || async { scene.lists().await.map(drop) }).await;
    verdicts.judge("cold gone: what is asked of it finds out", found);
    gone(scene, &before, events.2, verdicts).await?;
    scene.redis.pause()?;
    let found = scene.reaches("warm", "down", || async { Ok(()) }).await;
    verdicts.judge("both away: what follows the map finds out", found);
    both_away(scene, &before, verdicts).await?;
    scene.redis.resume()?;
    scene.give_cold_back().await?;
    verdicts.judge("both back: found without anybody's request", scene.returns("warm").await);
    scene.recovers("cold back", before, verdicts).await
}

async fn gone(scene: &mut Scene, before: &UnderWay, events: usize, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    verdicts.same("cold gone: the map is live", scene.map().await?, (200, false));
    verdicts.same(
        "cold gone: the list of events is the last known, marked",
        scene.events().await?,
        (200, true, events),
    );
    let marked =
        until("the event is marked", PATIENCE, || async { Ok((scene.about().await? == (200, true)).then_some(())) });
    verdicts.judge("cold gone: an event is the last known, marked once it is old", marked.await);
    let marked: Vec<_> = before.lists.iter().map(|list| (list.0, true, list.2)).collect();
    verdicts.same("cold gone: lists are the last known, marked", scene.lists().await?, marked);
    let venues = (scene.venues(&scene.organizer).await?, scene.venues(&scene.stranger).await?);
    verdicts.same("cold gone: each tenant's own", venues, ((200, true, 1), (200, true, 0)));
    verdicts.same("cold gone: holds are refused", scene.hold(1).await?, refused("try_again", 10));
    verdicts.same("cold gone: orders are refused", scene.order(&before.order).await?, refused("try_again", 10));
    verdicts.same("cold gone: callbacks are to be repeated", scene.callback().await?, refused("try_again", 10));
    let refund = scene.refund(&before.given_back, &before.refund_key).await?;
    verdicts.same("cold gone: refunds are refused", refund, refused("try_again", 10));
    let let_in = scene.scanner.send(&before.scan).await?.must(200)?;
    scene.let_in();
    verdicts.same("cold gone: warm decides a scan, not durably", scanned(&let_in), admitted(false, true));
    let used = scene.scanner.send(&scene.scanner.read(&before.used)).await?.must(200)?;
    verdicts.same("cold gone: and lets nobody in again", reason(&used), "already_used".to_owned());
    lost_bulletin(scene, before, verdicts).await?;
    let words = "What you see may be a little old";
    verdicts.judge("cold gone: the front page says how old it is", scene.page_says("/", words).await);
    verdicts.judge("cold gone: with its age", scene.page_says("/", "Last known ").await);
    Ok(())
}

/// The node loses what it hears of the others by, and subscribes anew: it may have missed something, and cold cannot be asked.
async fn lost_bulletin(scene: &mut Scene, before: &UnderWay, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    for round in ["once", "again"] {
        let killed = scene.redis.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).await?;
        verdicts.same(&format!("cold gone: subscriptions are cut {round}"), killed.trim() != "0", true);
        let back = until("the node is subscribed again", PATIENCE, || async {
            let subscribed = scene.redis.ask(&["PUBSUB", "NUMSUB", "vg:notices"]).await?;
            Ok((subscribed.lines().last().is_some_and(|count| count.trim() != "0")).then_some(()))
        });
        verdicts.judge(&format!("cold gone: subscribed {round}"), back.await);
        let used = scene.scanner.send(&scene.scanner.read(&before.used)).await?.must(200)?;
        verdicts.same(
            &format!("cold gone: the scanner is known and answered after subscriptions were cut {round}"),
            (used["durable"].as_bool(), reason(&used)),
            (Some(false), "already_used".to_owned()),
        );
    }
    Ok(())
}

async fn both_away(scene: &Scene, before: &UnderWay, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let scan = scene.scanner.send(&scene.scanner.read(&before.code)).await?;
    verdicts.same("both away: the gate goes by its offline rules", told(&scan), refused("offline_rules", 5));
    verdicts.same("both away: holds are refused", scene.hold(1).await?, refused("try_again", 10));
    verdicts.same("both away: orders are refused", scene.order(&before.order).await?, refused("try_again", 10));
    verdicts.same("both away: callbacks are to be repeated", scene.callback().await?, refused("try_again", 10));
    let refund = scene.refund(&before.given_back, &before.refund_key).await?;
    verdicts.same("both away: refunds are refused", refund, refused("try_again", 10));
    let marked = scene.lists().await?;
    verdicts.same(
        "both away: lists are the last known, marked",
        marked.iter().all(|list| (list.0, list.1) == (200, true)),
        true,
    );
    verdicts.same("both away: an event is shown", scene.about().await?, (200, true));
    let marked =
        until("the map is marked", PATIENCE, || async { Ok((scene.map().await? == (200, true)).then_some(())) });
    verdicts.judge("both away: the map is the last known, marked", marked.await);
    Ok(())
}
