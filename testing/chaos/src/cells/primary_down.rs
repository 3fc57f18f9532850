//! Kills the cold tier's primary while its replica serves reads.

use voelgoed_testkit::buyer::{TestBuyer, acknowledged_order};
use voelgoed_testkit::organizer::text;
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::until::until;

use super::RECOVERY_TIMEOUT;
use super::fixture::{CellsFixture, RequestsBeforeOutage, seconds_between};
use super::response_values::{accepted, admitted_by, outcome, reason, refused, scan_state};

/// Of one session while no orders are accepted.
const PLACES_PER_SESSION_MAX: u32 = 4;
/// The duration of a hold then: its ten minutes, and the five by which an order would extend it.
const EXTENDED_HOLD_SECONDS: f64 = 899.0;

/// Checks this column of the capability table.
pub async fn run(fixture: &mut CellsFixture, report: &mut SuiteReport) -> anyhow::Result<()> {
    let before = fixture.under_way().await?;
    fixture.replica_caught_up().await?;
    fixture.primary.kill().await?;
    let order = before.order.clone();
    let found =
        fixture.wait_for_health("cold", "replica_only", || async { fixture.order(&order).await.map(drop) }).await;
    report.check("primary down: requests detect the outage", found);
    primary_is_down(fixture, &before, report).await?;
    fixture.primary.restart().await?;
    fixture.check_recovery("primary back", before, report).await
}

async fn primary_is_down(
    fixture: &mut CellsFixture,
    before: &RequestsBeforeOutage,
    report: &mut SuiteReport,
) -> anyhow::Result<()> {
    report.check_eq("primary down: the map is live", fixture.map().await?, (200, false));
    report.check_eq("primary down: an event is read", fixture.about().await?, (200, false));
    // A replica that reports its position too slowly is not used; the last known list is served then, and marked.
    let listed = until("the list is read", RECOVERY_TIMEOUT, || async {
        Ok((fixture.events().await? == (200, false, 1)).then_some(()))
    });
    report.check("primary down: the list of events is read", listed.await);
    let one = TestBuyer::new(fixture.client.clone()).hold_general(&fixture.event, PLACES_PER_SESSION_MAX).await?;
    report.check_eq("primary down: places can be held", outcome(&one), accepted(201));
    let lasts = seconds_between(&text(&one.json(), "now")?, &text(&one.json(), "expires_at")?)?;
    report.check_eq("primary down: holds last longer than usual", lasts > EXTENDED_HOLD_SECONDS, true);
    let many = fixture.hold(PLACES_PER_SESSION_MAX + 1).await?;
    report.check_eq(
        "primary down: only a few places can be held at once",
        (many.0, many.1),
        (409, "limit_reached".to_owned()),
    );
    report.check_eq("primary down: orders are refused", fixture.order(&before.order).await?, refused("try_again", 10));
    report.check_eq(
        "primary down: callbacks are refused for a retry",
        fixture.callback().await?,
        refused("try_again", 10),
    );
    let refund = fixture.refund(&before.refunded_order, &before.refund_key).await?;
    report.check_eq("primary down: refunds are refused", refund, refused("try_again", 10));
    let lists = until("the lists are read", RECOVERY_TIMEOUT, || async {
        Ok((fixture.lists().await? == before.lists).then_some(()))
    });
    report.check("primary down: lists come from the replica", lists.await);
    report.check_eq(
        "primary down: an order comes from the replica",
        fixture.reread_order(&before.refunded_order).await?["state"].as_str(),
        Some("paid"),
    );
    let admitted = fixture.scanner.send(&before.scan).await?.must(200)?;
    fixture.count_admission();
    report.check_eq("primary down: warm decides a scan, not durably", scan_state(&admitted), admitted_by(false, true));
    let again = fixture.scanner.send(&fixture.scanner.scan_of(&before.code)).await?.must(200)?;
    report.check_eq("primary down: a used ticket is not admitted again", reason(&again), "already_used".to_owned());
    let used = fixture.scanner.send(&fixture.scanner.scan_of(&before.used)).await?.must(200)?;
    report.check_eq(
        "primary down: a ticket that cold had admitted is not admitted again",
        reason(&used),
        "already_used".to_owned(),
    );
    let page = format!("/events/{}", fixture.event.id);
    let words = "You can hold up to 4";
    report.check("primary down: the event's page says what can be held", fixture.page_says(&page, words).await);
    let checkout = format!("/holds/{}?token={}", before.hold.id, before.hold.token);
    let words = "Orders cannot be taken for the moment; your seats are kept until";
    report
        .check("primary down: the checkout says until when places are kept", fixture.page_says(&checkout, words).await);
    Ok(())
}

impl CellsFixture {
    /// Checks that every request that was refused or pending completes exactly once.
    pub async fn check_recovery(
        &mut self,
        when: &str,
        before: RequestsBeforeOutage,
        report: &mut SuiteReport,
    ) -> anyhow::Result<()> {
        report.check(&format!("{when}: detected without a request"), self.wait_until_up("cold").await);
        let durable = self.durable(&before.scan).await;
        report.check(&format!("{when}: the repeated scan is the same one, durable"), durable);
        let order = acknowledged_order(self.buyer.clone().order(&before.order).await?)?;
        let paid = self.paid(&order).await.map(drop);
        report.check(&format!("{when}: the refused order, repeated, is paid"), paid);
        let paid = self.paid(&before.claimed).await.map(drop);
        report.check(&format!("{when}: the order whose callback was refused is paid"), paid);
        let refund = self.refund(&before.refunded_order, &before.refund_key).await?;
        report.check_eq(&format!("{when}: the refused refund is accepted"), refund, accepted(201));
        report.check(&format!("{when}: the refund is executed"), self.refunded(&before.refunded_order).await);
        report.check_eq(
            &format!("{when}: holds are accepted as before"),
            self.hold(PLACES_PER_SESSION_MAX + 1).await?,
            accepted(201),
        );
        let lists = self.lists().await?;
        report.check_eq(&format!("{when}: lists are not marked"), lists.iter().any(|list| list.1), false);
        Ok(())
    }
}
