//! The payment provider away: killed, standing still, and unreachable for one of its methods.

use anyhow::ensure;
use futures::future::try_join_all;
use serde_json::Value;
use voelgoed_testkit::buyer::Placed;
use voelgoed_testkit::organizer::text;
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use super::PATIENCE;
use super::rows::{Told, admitted, scanned, yes};
use super::scene::Scene;

/// Orders that are placed meanwhile: enough that their failures are known for more than bad luck.
const ORDERS: usize = 8;

/// Plays the column.
pub async fn run(scene: &mut Scene, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let given_back = scene.bought().await?;
    let code = scene.code().await?;
    scene.provider.kill().await?;
    let kept = kept_orders(scene, "provider killed", verdicts).await?;
    verdicts.same(
        "provider away: callbacks are looked at",
        scene.callback().await?,
        Told(401, "unauthenticated".into(), None),
    );
    verdicts.same("provider away: places are held", scene.hold(1).await?, yes(201));
    verdicts.same("provider away: the map is live", scene.map().await?, (200, false));
    verdicts.same("provider away: events are read", scene.about().await?, (200, false));
    let lists = scene.lists().await?;
    verdicts.same("provider away: lists are read", lists.iter().all(|list| (list.0, list.1) == (200, false)), true);
    let let_in = scene.scanner.send(&scene.scanner.read(&code)).await?.must(200)?;
    scene.let_in();
    verdicts.same("provider away: a scan is durable", scanned(&let_in), admitted(true, false));
    verdicts.same("provider away: a refund is taken", scene.refund(&given_back, "provider-away").await?, yes(201));
    let waits = scene.see(&given_back).await?["refunds"][0]["state"].clone();
    verdicts.same("provider away: and waits", matches!(waits.as_str(), Some("pending" | "unknown")), true);
    let hold = scene.seat().await?;
    let checkout = format!("/holds/{}?token={}", hold.id, hold.token);
    let words = "Payments are slow; your seats are kept until";
    verdicts
        .judge("provider away: the checkout says until when places are kept", scene.page_says(&checkout, words).await);
    let page = format!("/orders/{}?token={}", kept[0].id, kept[0].token);
    verdicts.judge(
        "provider away: the order says that payments are slow",
        scene.page_says(&page, "Payments are slow").await,
    );
    verdicts.judge(
        "provider away: and until when they are kept",
        scene.page_says(&page, "Your places are kept until").await,
    );
    scene.provider.start()?;
    all_paid(scene, &kept, "provider back", verdicts).await;
    verdicts.judge("provider back: the refund is carried out", scene.refunded(&given_back).await);

    scene.provider.signal("-STOP").await?;
    let kept = kept_orders(scene, "provider still", verdicts).await?;
    scene.provider.signal("-CONT").await?;
    all_paid(scene, &kept, "provider going on", verdicts).await;

    let down = scene.ordered("down").await?;
    let other = scene.ordered("ok").await?;
    verdicts.judge("one method away: the others are paid", scene.paid(&other).await.map(drop));
    verdicts.same(
        "one method away: its order is kept",
        state(&scene.look(&down).await?),
        "awaiting_payment".to_owned(),
    );
    Ok(())
}

/// Orders that are placed while nobody takes their money; the platform finds that out by them.
async fn kept_orders(scene: &mut Scene, when: &str, verdicts: &mut Verdicts) -> anyhow::Result<Vec<Placed>> {
    let mut orders = Vec::new();
    for _ in 0..ORDERS {
        orders.push(scene.ordered("ok").await?);
    }
    let found = scene.reaches("payment_provider", "down", || async { Ok(()) }).await;
    verdicts.judge(&format!("{when}: its orders find that it is away"), found);
    orders.push(scene.ordered("ok").await?);
    let seen = try_join_all(orders.iter().map(|order| scene.look(order))).await?;
    let open = seen.iter().filter(|order| state(order) == "awaiting_payment").count();
    verdicts.same(&format!("{when}: orders are taken and kept, to be paid later"), open, orders.len());
    Ok(orders)
}

/// What was sent is learnt of; what could not be sent is paid by its buyer within the hold.
async fn all_paid(scene: &Scene, orders: &[Placed], when: &str, verdicts: &mut Verdicts) {
    verdicts.judge(&format!("{when}: found without anybody's request"), scene.returns("payment_provider").await);
    let paid = try_join_all(orders.iter().map(|order| async move {
        until("the order is paid", PATIENCE, || async {
            let seen = scene.look(order).await?;
            let last = seen["payments"].as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
            if matches!(last["state"].as_str(), Some("failed" | "voided")) {
                let told = scene.pay_again(order, &text(&last, "id")?).await?;
                ensure!(told.0 == 201, "another payment was answered {told:?}");
            }
            Ok((state(&seen) == "paid").then_some(()))
        })
        .await
    }));
    verdicts.judge(&format!("{when}: every order is paid within its hold, once"), paid.await.map(drop));
}

fn state(order: &Value) -> String {
    order["state"].as_str().unwrap_or_default().to_owned()
}
