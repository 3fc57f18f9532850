//! Kills the payment provider, pauses it (SIGSTOP), and uses a method that it cannot reach.

use anyhow::ensure;
use futures::future::try_join_all;
use serde_json::Value;
use voelgoed_testkit::buyer::AcknowledgedOrder;
use voelgoed_testkit::organizer::text;
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::until::until;

use super::RECOVERY_TIMEOUT;
use super::fixture::CellsFixture;
use super::response_values::{ApiOutcome, accepted, admitted_by, scan_state};

/// Orders placed during the outage: enough failures to open the breaker.
const ORDERS: usize = 8;

/// Checks this column of the capability table.
pub async fn run(fixture: &mut CellsFixture, report: &mut SuiteReport) -> anyhow::Result<()> {
    let refunded_order = fixture.buy().await?;
    let code = fixture.buy_code().await?;
    fixture.provider.kill()?;
    let open_orders = place_during_outage(fixture, "provider killed", report).await?;
    report.check_eq(
        "provider down: callbacks are processed",
        fixture.callback().await?,
        ApiOutcome(401, "unauthenticated".into(), None),
    );
    report.check_eq("provider down: places are held", fixture.hold(1).await?, accepted(201));
    report.check_eq("provider down: the map is live", fixture.map().await?, (200, false));
    report.check_eq("provider down: events are read", fixture.about().await?, (200, false));
    let lists = fixture.lists().await?;
    report.check_eq("provider down: lists are read", lists.iter().all(|list| (list.0, list.1) == (200, false)), true);
    let admitted = fixture.scanner.send(&fixture.scanner.scan_of(&code)).await?.must(200)?;
    fixture.count_admission();
    report.check_eq("provider down: a scan is durable", scan_state(&admitted), admitted_by(true, false));
    report.check_eq(
        "provider down: a refund is accepted",
        fixture.refund(&refunded_order, "provider-down").await?,
        accepted(201),
    );
    let waits = fixture.reread_order(&refunded_order).await?["refunds"][0]["state"].clone();
    report.check_eq("provider down: the refund waits", matches!(waits.as_str(), Some("pending" | "unknown")), true);
    let hold = fixture.hold_seat().await?;
    let checkout = format!("/holds/{}?token={}", hold.id, hold.token);
    let words = "Payments are slow; your seats are kept until";
    report.check(
        "provider down: the checkout says until when places are kept",
        fixture.page_says(&checkout, words).await,
    );
    let page = format!("/orders/{}?token={}", open_orders[0].id, open_orders[0].token);
    report.check(
        "provider down: the order says that payments are slow",
        fixture.page_says(&page, "Payments are slow").await,
    );
    report.check(
        "provider down: the order says until when its places are kept",
        fixture.page_says(&page, "Your places are kept until").await,
    );
    fixture.provider.start()?;
    check_all_paid(fixture, &open_orders, "provider back", report).await;
    report.check("provider back: the refund is executed", fixture.refunded(&refunded_order).await);

    fixture.provider.signal("-STOP")?;
    let open_orders = place_during_outage(fixture, "provider paused", report).await?;
    fixture.provider.signal("-CONT")?;
    check_all_paid(fixture, &open_orders, "provider continued", report).await;

    let down = fixture.place_order("down").await?;
    let other = fixture.place_order("ok").await?;
    report.check("one method down: the others are paid", fixture.paid(&other).await.map(drop));
    report.check_eq(
        "one method down: its order stays open",
        state(&fixture.read_order(&down).await?),
        "awaiting_payment".to_owned(),
    );
    Ok(())
}

/// Places orders while the provider is down; their failures detect the outage.
async fn place_during_outage(
    fixture: &mut CellsFixture,
    when: &str,
    report: &mut SuiteReport,
) -> anyhow::Result<Vec<AcknowledgedOrder>> {
    let mut orders = Vec::new();
    for _ in 0..ORDERS {
        orders.push(fixture.place_order("ok").await?);
    }
    let found = fixture.wait_for_health("payment_provider", "down", || async { Ok(()) }).await;
    report.check(&format!("{when}: its orders detect the outage"), found);
    orders.push(fixture.place_order("ok").await?);
    let seen = try_join_all(orders.iter().map(|order| fixture.read_order(order))).await?;
    let open = seen.iter().filter(|order| state(order) == "awaiting_payment").count();
    report.check_eq(&format!("{when}: orders are accepted and stay open"), open, orders.len());
    Ok(orders)
}

/// Waits until every order is paid: charges that were sent are observed, and failed ones are paid again by the buyer within the hold.
async fn check_all_paid(fixture: &CellsFixture, orders: &[AcknowledgedOrder], when: &str, report: &mut SuiteReport) {
    report.check(&format!("{when}: detected without a request"), fixture.wait_until_up("payment_provider").await);
    let paid = try_join_all(orders.iter().map(|order| async move {
        until("the order is paid", RECOVERY_TIMEOUT, || async {
            let seen = fixture.read_order(order).await?;
            let last = seen["payments"].as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
            if matches!(last["state"].as_str(), Some("failed" | "voided")) {
                let outcome = fixture.pay_again(order, &text(&last, "id")?).await?;
                ensure!(outcome.0 == 201, "another payment was answered {outcome:?}");
            }
            Ok((state(&seen) == "paid").then_some(()))
        })
        .await
    }));
    report.check(&format!("{when}: every order is paid within its hold, once"), paid.await.map(drop));
}

fn state(order: &Value) -> String {
    order["state"].as_str().unwrap_or_default().to_owned()
}
