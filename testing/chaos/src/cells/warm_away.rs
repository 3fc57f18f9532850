//! The warm tier away: first it stands still (SIGSTOP), then it is killed and comes back empty.

use anyhow::ensure;
use reqwest::Method;
use serde_json::Value;
use voelgoed_testkit::buyer::{Buyer, OrderRequest, Placed, placed};
use voelgoed_testkit::client::Call;
use voelgoed_testkit::organizer::text;
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use super::PATIENCE;
use super::rows::{Told, admitted, hear, reason, refused, scanned, told, yes};
use super::scene::{Scene, seconds_between};

/// A view that was confirmed longer ago is marked, in seconds.
const LIVE: f64 = 10.0;

/// Plays the column.
pub async fn run(scene: &mut Scene, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    stands_still(scene, verdicts).await?;
    comes_back_empty(scene, verdicts).await
}

async fn stands_still(scene: &mut Scene, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let fresh = scene.code().await?;
    let given_back = scene.bought().await?;
    let hold = scene.seat().await?;
    let order = OrderRequest::new(&hold, "ok");
    let taken = OrderRequest::new(&scene.seat().await?, "slow");
    let claimed = placed(scene.buyer.clone().order(&taken).await?)?;
    let declined = declined(scene).await?;
    scene.map().await?;

    scene.redis.pause()?;
    let found = scene.reaches("warm", "down", || async { scene.hold(1).await.map(drop) }).await;
    verdicts.judge("warm away: what is asked of it finds out", found);
    verdicts.judge("warm away: the map says how old it is, and is live for ten seconds", honest(scene).await);
    verdicts.same("warm away: events and prices are read", scene.about().await?.0, 200);
    verdicts.same("warm away: holds are refused with a time", scene.hold(1).await?, refused("try_again", 5));
    verdicts.same("warm away: orders are refused with a time", scene.order(&order).await?, refused("try_again", 5));
    let repeated = placed(scene.buyer.clone().order(&taken).await?)?;
    verdicts.same("warm away: a taken order, asked for again, is answered again", repeated.id, claimed.id.clone());
    verdicts.same(
        "warm away: callbacks are looked at",
        scene.callback().await?,
        Told(401, "unauthenticated".into(), None),
    );
    verdicts.judge("warm away: a claimed order completes", scene.paid(&claimed).await.map(drop));
    verdicts.judge("warm away: whoever follows an order hears that it is paid", followed(scene, &declined).await);
    verdicts.same("warm away: a refund is taken", scene.refund(&given_back, "warm-away").await?, yes(201));
    verdicts.judge("warm away: and carried out", scene.refunded(&given_back).await);
    let read = scene.scanner.read(&fresh);
    let let_in = scene.scanner.send(&read).await?.must(200)?;
    scene.let_in();
    verdicts.same("warm away: cold decides a scan, durably", scanned(&let_in), admitted(true, true));
    let again = scene.scanner.send(&scene.scanner.read(&fresh)).await?.must(200)?;
    verdicts.same("warm away: and lets nobody in again", reason(&again), "already_used".to_owned());
    let lists = scene.lists().await?;
    verdicts.same("warm away: lists are read", lists.iter().all(|list| (list.0, list.1) == (200, false)), true);
    let marked = until("the map is marked as old", PATIENCE, || async { Ok(scene.map().await?.1.then_some(())) });
    verdicts.judge("warm away: the map is marked once it is old", marked.await);
    let page = format!("/events/{}", scene.event.id);
    verdicts.judge("warm away: so is the page, with its age", scene.page_says(&page, "Last known ").await);
    let words = "Places cannot be held for the moment";
    verdicts.judge("warm away: and it says that nothing can be held", scene.page_says(&page, words).await);
    let checkout = format!("/holds/{}?token={}", hold.id, hold.token);
    verdicts.judge(
        "warm away: a checkout leads back to itself",
        scene.page_says(&checkout, "Look at your places again").await,
    );

    scene.redis.resume()?;
    verdicts.judge("warm back: found without anybody's request", scene.returns("warm").await);
    let live = until("the map is live", PATIENCE, || async { Ok((scene.map().await? == (200, false)).then_some(())) });
    verdicts.judge("warm back: the map is live", live.await);
    let order = placed(scene.buyer.clone().order(&order).await?)?;
    verdicts.judge("warm back: the refused order, asked for again, is paid", scene.paid(&order).await.map(drop));
    let place = given_back["items"][0]["place"].as_u64().and_then(|place| u32::try_from(place).ok());
    let free = until("the place of the refund is free", PATIENCE, || async {
        let answer = Buyer::new(scene.client.clone()).hold_seat(&scene.event, place.unwrap_or(u32::MAX)).await?;
        Ok((answer.status == 201).then_some(()))
    });
    verdicts.judge("warm back: the place that was given back can be had", free.await);
    let code = text(&given_back["tickets"][0], "code")?;
    let turned_away = scene.scanner.send(&scene.scanner.read(&code)).await?.must(200)?;
    verdicts.same("warm back: its ticket admits nobody", turned_away["result"].as_str(), Some("refused"));
    Ok(())
}

async fn comes_back_empty(scene: &mut Scene, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let sold = scene.bought().await?;
    let hold = scene.seat().await?;
    scene.redis.kill()?;
    let found = scene.reaches("warm", "down", || async { scene.hold(1).await.map(drop) }).await;
    verdicts.judge("warm killed: what is asked of it finds out", found);
    verdicts.same("warm killed: holds are refused with a time", scene.hold(1).await?, refused("try_again", 5));
    scene.redis.rise().await?;
    verdicts.judge("warm empty: found without anybody's request", scene.returns("warm").await);
    let selling =
        until("places are held again", PATIENCE, || async { Ok((scene.hold(1).await? == yes(201)).then_some(())) });
    verdicts.judge("warm empty: it is loaded anew, and sells", selling.await);
    let lost = scene.order(&OrderRequest::new(&hold, "ok")).await?;
    verdicts.same("warm empty: a hold of before is lost, and says so", (lost.0, lost.1), (410, "hold_lost".to_owned()));
    let place = sold["items"][0]["place"].as_u64().and_then(|place| u32::try_from(place).ok());
    let again = Buyer::new(scene.client.clone()).hold_seat(&scene.event, place.unwrap_or(u32::MAX)).await?;
    verdicts.same("warm empty: what was sold stays sold", told(&again).1, "place_taken".to_owned());
    Ok(())
}

/// An order whose payment was declined.
async fn declined(scene: &mut Scene) -> anyhow::Result<Placed> {
    let order = scene.ordered("declined").await?;
    until("the payment is declined", PATIENCE, || async {
        Ok((scene.look(&order).await?["payments"][0]["state"] == "failed").then_some(()))
    })
    .await?;
    Ok(order)
}

/// Follows an order by its stream, pays it, and hears of that.
async fn followed(scene: &Scene, order: &Placed) -> anyhow::Result<()> {
    let url = format!("{}/api/v1/orders/{}/stream?token={}", scene.url(), order.id, order.token);
    let mut stream = reqwest::Client::builder().no_proxy().build()?.get(url).send().await?.error_for_status()?;
    let mut heard = String::new();
    for state in ["awaiting_payment", "paid"] {
        hear(&mut stream, &mut heard, &format!(r#""state":"{state}""#)).await?;
        if state == "awaiting_payment" {
            ensure!(scene.pay_again(order, "followed").await? == yes(201), "it cannot be paid again");
        }
    }
    Ok(())
}

/// The map is marked exactly where it is older than it may be.
async fn honest(scene: &Scene) -> anyhow::Result<()> {
    let path = format!("/api/v1/events/{}/availability", scene.event.id);
    let seen: Value = scene.client.call(Method::GET, &path, Call::default()).await?.must(200)?;
    let age = seconds_between(&text(&seen, "at")?, &text(&seen, "now")?)?;
    ensure!(seen["stale"].as_bool() == Some(age > LIVE), "{age} s old, stale: {}", seen["stale"]);
    Ok(())
}
