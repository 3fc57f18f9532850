//! After the sale: the buyers' journal against what the shop says of orders, seats and money.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::ensure;
use serde_json::Value;
use voelgoed_testkit::organizer::Organizer;
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use super::crowd::Tally;

/// Every order has ended and every forgotten hold is gone by then.
const ENDED: Duration = Duration::from_secs(240);

/// Judges the whole sale of the event.
pub async fn sale(organizer: &Organizer, tally: &Tally, verdicts: &mut Verdicts) {
    let event = tally.event.as_str();
    let ended = until("every order has ended", ENDED, || async {
        let orders = organizer.orders(event).await?;
        Ok(orders.iter().all(|order| order["state"] != "awaiting_payment").then_some(orders))
    });
    match ended.await {
        Ok(orders) => {
            verdicts.judge("0 acknowledged orders are lost, and there are no others", same_orders(tally, &orders));
            verdicts.judge("0 seats are oversold", sold_once(organizer, tally, &orders).await);
        }
        Err(error) => verdicts.judge("every order ends", Err(error)),
    }
    verdicts.judge("the books balance", organizer.balanced_journal().await.map(drop));
}

fn same_orders(tally: &Tally, orders: &[Value]) -> anyhow::Result<()> {
    let there: BTreeSet<&str> = orders.iter().filter_map(|order| order["id"].as_str()).collect();
    let told: BTreeSet<&str> = tally.orders.keys().map(String::as_str).collect();
    let (lost, unknown) = (told.difference(&there).count(), there.difference(&told).count());
    ensure!(lost == 0 && unknown == 0, "{lost} are lost, {unknown} are known to nobody, of {}", told.len());
    Ok(())
}

/// No seat is in two paid orders, and the map shows exactly their seats as sold.
async fn sold_once(organizer: &Organizer, tally: &Tally, orders: &[Value]) -> anyhow::Result<()> {
    let paid = orders.iter().filter(|order| order["state"] == "paid").filter_map(|order| order["id"].as_str());
    let mut owners: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for order in paid {
        for seat in tally.orders.get(order).into_iter().flatten() {
            owners.entry(*seat).or_default().push(order);
        }
    }
    let twice: Vec<_> = owners.iter().filter(|(_, orders)| orders.len() > 1).collect();
    ensure!(twice.is_empty(), "sold twice: {twice:?}");
    let sold = until("the map shows what is sold", ENDED, || async {
        let places = organizer.places(&tally.event).await?;
        let sold: BTreeSet<u32> = (0..).zip(places).filter(|(_, state)| *state == 2).map(|(place, _)| place).collect();
        Ok(sold.iter().eq(owners.keys()).then_some(sold.len()))
    });
    let sold = sold.await?;
    println!("{sold} seats are sold, each to one order");
    ensure!(sold > 0, "nothing was sold");
    Ok(())
}
