//! Pauses the warm tier (SIGSTOP), then kills it so that it comes back empty.

use anyhow::ensure;
use reqwest::Method;
use serde_json::Value;
use voelgoed_testkit::buyer::{AcknowledgedOrder, OrderRequest, TestBuyer, acknowledged_order};
use voelgoed_testkit::http_client::{ApiCall, ApiClient};
use voelgoed_testkit::organizer::text;
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::sse::SseStream;
use voelgoed_testkit::until::until;

use super::RECOVERY_TIMEOUT;
use super::fixture::{CellsFixture, seconds_between};
use super::response_values::{ApiOutcome, accepted, admitted_by, outcome, reason, refused, scan_state};

/// An older view is marked as stale.
const LIVE_SECONDS_MAX: f64 = 10.0;

/// Checks this column of the capability table.
pub async fn run(fixture: &mut CellsFixture, report: &mut SuiteReport) -> anyhow::Result<()> {
    check_paused(fixture, report).await?;
    check_empty_restart(fixture, report).await
}

async fn check_paused(fixture: &mut CellsFixture, report: &mut SuiteReport) -> anyhow::Result<()> {
    let unused = fixture.buy_code().await?;
    let refunded_order = fixture.buy().await?;
    let hold = fixture.hold_seat().await?;
    let order = OrderRequest::new(&hold, "ok");
    let taken = OrderRequest::new(&fixture.hold_seat().await?, "slow");
    let claimed = acknowledged_order(fixture.buyer.clone().order(&taken).await?)?;
    let declined = declined(fixture).await?;
    fixture.map().await?;

    fixture.redis.pause()?;
    let found = fixture.wait_for_health("warm", "down", || async { fixture.hold(1).await.map(drop) }).await;
    report.check("warm down: requests detect the outage", found);
    report.check("warm down: the map has its age, and is live for ten seconds", check_staleness(fixture).await);
    report.check_eq("warm down: events and prices are read", fixture.about().await?.0, 200);
    report.check_eq("warm down: holds are refused with a retry time", fixture.hold(1).await?, refused("try_again", 5));
    report.check_eq(
        "warm down: orders are refused with a retry time",
        fixture.order(&order).await?,
        refused("try_again", 5),
    );
    let repeated = acknowledged_order(fixture.buyer.clone().order(&taken).await?)?;
    report.check_eq("warm down: an acknowledged order, repeated, is replayed", repeated.id, claimed.id.clone());
    report.check_eq(
        "warm down: callbacks are processed",
        fixture.callback().await?,
        ApiOutcome(401, "unauthenticated".into(), None),
    );
    report.check("warm down: a claimed order completes", fixture.paid(&claimed).await.map(drop));
    report.check("warm down: an order's stream reports its payment", check_order_stream(fixture, &declined).await);
    report.check_eq(
        "warm down: a refund is accepted",
        fixture.refund(&refunded_order, "warm-down").await?,
        accepted(201),
    );
    report.check("warm down: the refund is executed", fixture.refunded(&refunded_order).await);
    let read = fixture.scanner.scan_of(&unused);
    let admitted = fixture.scanner.send(&read).await?.must(200)?;
    fixture.count_admission();
    report.check_eq("warm down: cold decides a scan, durably", scan_state(&admitted), admitted_by(true, true));
    let again = fixture.scanner.send(&fixture.scanner.scan_of(&unused)).await?.must(200)?;
    report.check_eq("warm down: a used ticket is not admitted again", reason(&again), "already_used".to_owned());
    let lists = fixture.lists().await?;
    report.check_eq("warm down: lists are read", lists.iter().all(|list| (list.0, list.1) == (200, false)), true);
    let marked =
        until("the map is marked as stale", RECOVERY_TIMEOUT, || async { Ok(fixture.map().await?.1.then_some(())) });
    report.check("warm down: the map is marked once it is old", marked.await);
    let page = format!("/events/{}", fixture.event.id);
    report.check("warm down: the page is marked with its age", fixture.page_says(&page, "Last known ").await);
    let words = "Places cannot be held for the moment";
    report.check("warm down: the page says that nothing can be held", fixture.page_says(&page, words).await);
    let checkout = format!("/holds/{}?token={}", hold.id, hold.token);
    report.check(
        "warm down: a checkout leads back to itself",
        fixture.page_says(&checkout, "Look at your places again").await,
    );

    check_recovery(fixture, report, &order, &refunded_order).await
}

/// Resumes Redis: what was refused is possible again, and the gate's filter has the refunded ticket.
async fn check_recovery(
    fixture: &mut CellsFixture,
    report: &mut SuiteReport,
    order: &OrderRequest,
    refunded_order: &Value,
) -> anyhow::Result<()> {
    fixture.redis.resume()?;
    report.check("warm back: detected without a request", fixture.wait_until_up("warm").await);
    let live = until("the map is live", RECOVERY_TIMEOUT, || async {
        Ok((fixture.map().await? == (200, false)).then_some(()))
    });
    report.check("warm back: the map is live", live.await);
    let order = acknowledged_order(fixture.buyer.clone().order(order).await?)?;
    report.check("warm back: the refused order, repeated, is paid", fixture.paid(&order).await.map(drop));
    let place = refunded_order["items"][0]["place"].as_u64().and_then(|place| u32::try_from(place).ok());
    let free = until("the place of the refund is free", RECOVERY_TIMEOUT, || async {
        let answer =
            TestBuyer::new(fixture.client.clone()).hold_seat(&fixture.event, place.unwrap_or(u32::MAX)).await?;
        Ok((answer.status == 201).then_some(()))
    });
    report.check("warm back: the refunded place can be held", free.await);
    let code = text(&refunded_order["tickets"][0], "code")?;
    let refused_scan = fixture.scanner.send(&fixture.scanner.scan_of(&code)).await?.must(200)?;
    report.check_eq("warm back: the refunded ticket is refused", refused_scan["result"].as_str(), Some("refused"));
    Ok(())
}

async fn check_empty_restart(fixture: &mut CellsFixture, report: &mut SuiteReport) -> anyhow::Result<()> {
    let sold = fixture.buy().await?;
    let hold = fixture.hold_seat().await?;
    fixture.redis.kill()?;
    let found = fixture.wait_for_health("warm", "down", || async { fixture.hold(1).await.map(drop) }).await;
    report.check("warm killed: requests detect the outage", found);
    report.check_eq(
        "warm killed: holds are refused with a retry time",
        fixture.hold(1).await?,
        refused("try_again", 5),
    );
    fixture.redis.restart().await?;
    report.check("warm empty: detected without a request", fixture.wait_until_up("warm").await);
    let selling = until("places are held again", RECOVERY_TIMEOUT, || async {
        Ok((fixture.hold(1).await? == accepted(201)).then_some(()))
    });
    report.check("warm empty: the event is loaded again and sells", selling.await);
    let lost = fixture.order(&OrderRequest::new(&hold, "ok")).await?;
    report.check_eq(
        "warm empty: a hold from before is answered as lost",
        (lost.0, lost.1),
        (410, "hold_lost".to_owned()),
    );
    let place = sold["items"][0]["place"].as_u64().and_then(|place| u32::try_from(place).ok());
    let again = TestBuyer::new(fixture.client.clone()).hold_seat(&fixture.event, place.unwrap_or(u32::MAX)).await?;
    report.check_eq("warm empty: a sold place stays sold", outcome(&again).1, "place_taken".to_owned());
    Ok(())
}

/// An order whose payment was declined.
async fn declined(fixture: &mut CellsFixture) -> anyhow::Result<AcknowledgedOrder> {
    let order = fixture.place_order("declined").await?;
    until("the payment is declined", RECOVERY_TIMEOUT, || async {
        Ok((fixture.read_order(&order).await?["payments"][0]["state"] == "failed").then_some(()))
    })
    .await?;
    Ok(order)
}

/// Follows an order's stream, pays the order, and waits for the payment in the stream.
async fn check_order_stream(fixture: &CellsFixture, order: &AcknowledgedOrder) -> anyhow::Result<()> {
    let path = format!("/api/v1/orders/{}/stream?token={}", order.id, order.token);
    let mut stream = SseStream::open(ApiClient::new(&fixture.url())?.request("GET", &path)).await?;
    for state in ["awaiting_payment", "paid"] {
        stream.read_until(state, RECOVERY_TIMEOUT, |frame| frame.json()["state"] == state).await?;
        if state == "awaiting_payment" {
            ensure!(fixture.pay_again(order, "followed").await? == accepted(201), "it cannot be paid again");
        }
    }
    Ok(())
}

/// Checks that the map is marked exactly where it is older than ten seconds.
async fn check_staleness(fixture: &CellsFixture) -> anyhow::Result<()> {
    let path = format!("/api/v1/events/{}/availability", fixture.event.id);
    let seen: Value = fixture.client.call(Method::GET, &path, ApiCall::default()).await?.must(200)?;
    let age = seconds_between(&text(&seen, "at")?, &text(&seen, "now")?)?;
    ensure!(seen["stale"].as_bool() == Some(age > LIVE_SECONDS_MAX), "{age} s old, stale: {}", seen["stale"]);
    Ok(())
}
