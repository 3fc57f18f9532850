//! Kills the cold tier, primary and replica, and then pauses the warm tier too.

use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::until::until;

use super::RECOVERY_TIMEOUT;
use super::fixture::{CellsFixture, RequestsBeforeOutage};
use super::response_values::{admitted_by, outcome, reason, refused, scan_state};

/// Runs both columns.
pub async fn run(fixture: &mut CellsFixture, report: &mut SuiteReport) -> anyhow::Result<()> {
    let before = fixture.under_way().await?;
    let events = fixture.events().await?;
    fixture.kill_cold().await?;
    let found = fixture.wait_for_health("cold", "down", || async { fixture.lists().await.map(drop) }).await;
    report.check("cold down: requests detect the outage", found);
    cold_is_down(fixture, &before, events.2, report).await?;
    fixture.redis.pause()?;
    let found = fixture.wait_for_health("warm", "down", || async { Ok(()) }).await;
    report.check("both down: the map follower detects the outage", found);
    both_down(fixture, &before, report).await?;
    fixture.redis.resume()?;
    fixture.restart_cold().await?;
    report.check("both back: detected without a request", fixture.wait_until_up("warm").await);
    fixture.check_recovery("cold back", before, report).await
}

async fn cold_is_down(
    fixture: &mut CellsFixture,
    before: &RequestsBeforeOutage,
    events: usize,
    report: &mut SuiteReport,
) -> anyhow::Result<()> {
    report.check_eq("cold down: the map is live", fixture.map().await?, (200, false));
    report.check_eq(
        "cold down: the list of events is served stale, and marked",
        fixture.events().await?,
        (200, true, events),
    );
    let marked = until("the event is marked", RECOVERY_TIMEOUT, || async {
        Ok((fixture.about().await? == (200, true)).then_some(()))
    });
    report.check("cold down: an event is served stale, and marked once it is old", marked.await);
    let marked: Vec<_> = before.lists.iter().map(|list| (list.0, true, list.2)).collect();
    report.check_eq("cold down: lists are served stale, and marked", fixture.lists().await?, marked);
    let venues = (fixture.venues(&fixture.organizer).await?, fixture.venues(&fixture.stranger).await?);
    report.check_eq("cold down: each tenant sees its own list", venues, ((200, true, 1), (200, true, 0)));
    report.check_eq("cold down: holds are refused", fixture.hold(1).await?, refused("try_again", 10));
    report.check_eq("cold down: orders are refused", fixture.order(&before.order).await?, refused("try_again", 10));
    report.check_eq(
        "cold down: callbacks are refused for a retry",
        fixture.callback().await?,
        refused("try_again", 10),
    );
    let refund = fixture.refund(&before.refunded_order, &before.refund_key).await?;
    report.check_eq("cold down: refunds are refused", refund, refused("try_again", 10));
    let admitted = fixture.scanner.send(&before.scan).await?.must(200)?;
    fixture.count_admission();
    report.check_eq("cold down: warm decides a scan, not durably", scan_state(&admitted), admitted_by(false, true));
    let used = fixture.scanner.send(&fixture.scanner.scan_of(&before.used)).await?.must(200)?;
    report.check_eq("cold down: a used ticket is not admitted again", reason(&used), "already_used".to_owned());
    cut_cluster_bus(fixture, before, report).await?;
    let words = "What you see may be a little old";
    report.check("cold down: the front page says that it may be old", fixture.page_says("/", words).await);
    report.check("cold down: the front page shows its age", fixture.page_says("/", "Last known ").await);
    Ok(())
}

/// Cuts the node's subscription to the cluster bus: it may miss a message, and cannot read cold after it has subscribed again.
async fn cut_cluster_bus(
    fixture: &mut CellsFixture,
    before: &RequestsBeforeOutage,
    report: &mut SuiteReport,
) -> anyhow::Result<()> {
    for round in ["once", "again"] {
        let killed = fixture.redis.execute(&["CLIENT", "KILL", "TYPE", "pubsub"]).await?;
        report.check_eq(&format!("cold down: subscriptions are cut {round}"), killed.trim() != "0", true);
        let back = until("the node is subscribed again", RECOVERY_TIMEOUT, || async {
            let subscribed = fixture.redis.execute(&["PUBSUB", "NUMSUB", "vg:notices"]).await?;
            Ok((subscribed.lines().last().is_some_and(|count| count.trim() != "0")).then_some(()))
        });
        report.check(&format!("cold down: subscribed {round}"), back.await);
        let used = fixture.scanner.send(&fixture.scanner.scan_of(&before.used)).await?.must(200)?;
        report.check_eq(
            &format!("cold down: scans are served after subscriptions were cut {round}"),
            (used["durable"].as_bool(), reason(&used)),
            (Some(false), "already_used".to_owned()),
        );
    }
    Ok(())
}

async fn both_down(
    fixture: &CellsFixture,
    before: &RequestsBeforeOutage,
    report: &mut SuiteReport,
) -> anyhow::Result<()> {
    let scan = fixture.scanner.send(&fixture.scanner.scan_of(&before.code)).await?;
    report.check_eq(
        "both down: the gate device applies its offline rules",
        outcome(&scan),
        refused("offline_rules", 5),
    );
    report.check_eq("both down: holds are refused", fixture.hold(1).await?, refused("try_again", 10));
    report.check_eq("both down: orders are refused", fixture.order(&before.order).await?, refused("try_again", 10));
    report.check_eq(
        "both down: callbacks are refused for a retry",
        fixture.callback().await?,
        refused("try_again", 10),
    );
    let refund = fixture.refund(&before.refunded_order, &before.refund_key).await?;
    report.check_eq("both down: refunds are refused", refund, refused("try_again", 10));
    let marked = fixture.lists().await?;
    report.check_eq(
        "both down: lists are served stale, and marked",
        marked.iter().all(|list| (list.0, list.1) == (200, true)),
        true,
    );
    report.check_eq("both down: an event is shown", fixture.about().await?, (200, true));
    let marked = until("the map is marked", RECOVERY_TIMEOUT, || async {
        Ok((fixture.map().await? == (200, true)).then_some(()))
    });
    report.check("both down: the map is served stale, and marked", marked.await);
    Ok(())
}
