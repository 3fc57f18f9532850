//! The cold tier's primary killed while its replica goes on.

use voelgoed_testkit::buyer::{Buyer, placed};
use voelgoed_testkit::organizer::text;
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use super::PATIENCE;
use super::rows::{admitted, reason, refused, scanned, told, yes};
use super::scene::{Scene, UnderWay, seconds_between};

/// What a session may hold while nothing can be ordered.
const CAPPED: u32 = 4;
/// A hold lasts so long then, in seconds: its ten minutes, and the five that it would gain by an order.
const EXTENDED: f64 = 899.0;

/// Plays the column.
pub async fn run(scene: &mut Scene, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let before = scene.under_way().await?;
    scene.followed().await?;
    scene.primary.kill().await?;
    let order = before.order.clone();
    let found = scene.reaches("cold", "replica_only", || async { scene.order(&order).await.map(drop) }).await;
    verdicts.judge("primary away: what is asked of it finds out", found);
    away(scene, &before, verdicts).await?;
    scene.primary.rise().await?;
    scene.recovers("primary back", before, verdicts).await
}

async fn away(scene: &mut Scene, before: &UnderWay, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    verdicts.same("primary away: the map is live", scene.map().await?, (200, false));
    verdicts.same("primary away: an event is read", scene.about().await?, (200, false));
    // A replica that is slow to say how far it is is not asked; what is known is shown then, and marked.
    let listed =
        until("the list is read", PATIENCE, || async { Ok((scene.events().await? == (200, false, 1)).then_some(())) });
    verdicts.judge("primary away: the list of events is read", listed.await);
    let one = Buyer::new(scene.client.clone()).hold_general(&scene.event, CAPPED).await?;
    verdicts.same("primary away: places can be held", told(&one), yes(201));
    let lasts = seconds_between(&text(&one.body, "now")?, &text(&one.body, "expires_at")?)?;
    verdicts.same("primary away: for longer than usual", lasts > EXTENDED, true);
    let many = scene.hold(CAPPED + 1).await?;
    verdicts.same("primary away: but few at once", (many.0, many.1), (409, "limit_reached".to_owned()));
    verdicts.same("primary away: orders are refused", scene.order(&before.order).await?, refused("try_again", 10));
    verdicts.same("primary away: callbacks are to be repeated", scene.callback().await?, refused("try_again", 10));
    let refund = scene.refund(&before.given_back, &before.refund_key).await?;
    verdicts.same("primary away: refunds are refused", refund, refused("try_again", 10));
    let lists =
        until("the lists are read", PATIENCE, || async { Ok((scene.lists().await? == before.lists).then_some(())) });
    verdicts.judge("primary away: lists come from the replica", lists.await);
    verdicts.same(
        "primary away: so does an order",
        scene.see(&before.given_back).await?["state"].as_str(),
        Some("paid"),
    );
    let let_in = scene.scanner.send(&before.scan).await?.must(200)?;
    scene.let_in();
    verdicts.same("primary away: warm decides a scan, not durably", scanned(&let_in), admitted(false, true));
    let again = scene.scanner.send(&scene.scanner.read(&before.code)).await?.must(200)?;
    verdicts.same("primary away: and lets nobody in again", reason(&again), "already_used".to_owned());
    let used = scene.scanner.send(&scene.scanner.read(&before.used)).await?.must(200)?;
    verdicts.same("primary away: nor on what cold had admitted", reason(&used), "already_used".to_owned());
    let page = format!("/events/{}", scene.event.id);
    let words = "You can hold up to 4";
    verdicts.judge("primary away: the event's page says what can be held", scene.page_says(&page, words).await);
    let checkout = format!("/holds/{}?token={}", before.hold.id, before.hold.token);
    let words = "Orders cannot be taken for the moment; your seats are kept until";
    verdicts
        .judge("primary away: the checkout says until when places are kept", scene.page_says(&checkout, words).await);
    Ok(())
}

impl Scene {
    /// Everything that was refused or waited comes to its end, once.
    pub async fn recovers(&mut self, when: &str, before: UnderWay, verdicts: &mut Verdicts) -> anyhow::Result<()> {
        verdicts.judge(&format!("{when}: found without anybody's request"), self.returns("cold").await);
        let durable = self.durable(&before.scan).await;
        verdicts.judge(&format!("{when}: the scan sent again is the same one, durable"), durable);
        let order = placed(self.buyer.clone().order(&before.order).await?)?;
        let paid = self.paid(&order).await.map(drop);
        verdicts.judge(&format!("{when}: the refused order, asked for again, is paid"), paid);
        let paid = self.paid(&before.claimed).await.map(drop);
        verdicts.judge(&format!("{when}: the order whose callback was refused is paid"), paid);
        let refund = self.refund(&before.given_back, &before.refund_key).await?;
        verdicts.same(&format!("{when}: the refused refund is taken"), refund, yes(201));
        verdicts.judge(&format!("{when}: and carried out"), self.refunded(&before.given_back).await);
        verdicts.same(&format!("{when}: places are held as usual"), self.hold(CAPPED + 1).await?, yes(201));
        let lists = self.lists().await?;
        verdicts.same(&format!("{when}: lists are not marked"), lists.iter().any(|list| list.1), false);
        Ok(())
    }
}
