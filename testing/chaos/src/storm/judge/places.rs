//! Places: sold once, shown as they are, and for sale again where they are not sold (P1, P4).

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use voelgoed_testkit::buyer::{Buyer, held};
use voelgoed_testkit::client::Answer;
use voelgoed_testkit::organizer::{Counts, Organizer};
use voelgoed_testkit::until::until;

use super::super::people::People;

/// What was committed has reached every map.
const SHOWN: Duration = Duration::from_secs(60);
/// Places of the floor that are asked for at once, and how often; the counts say the rest.
const AT_ONCE: u32 = 5;
const TRIES: u32 = 20;

fn sold(orders: &[Value]) -> anyhow::Result<BTreeMap<u64, String>> {
    let mut sold = BTreeMap::new();
    for order in orders {
        for ticket in order["tickets"].as_array().into_iter().flatten() {
            let place = ticket["place"].as_u64().context("a ticket's place")?;
            let id = order["id"].as_str().unwrap_or_default();
            if ticket["state"] != "revoked"
                && let Some(other) = sold.insert(place, id.to_owned())
            {
                anyhow::bail!("place {place} has tickets of {other} and {id}");
            }
        }
    }
    Ok(sold)
}

/// Each place has at most one valid ticket, and each node's map shows as sold exactly what has one.
pub async fn sold_once(people: &People, orders: &[Value]) -> anyhow::Result<()> {
    let sold = sold(orders)?;
    let all = u64::from(people.event.seated.1 + people.event.general.1);
    let expected = Counts { sold: sold.len() as u64, free: all - sold.len() as u64, ..Counts::default() };
    for (number, node) in people.nodes.iter().enumerate() {
        let organizer = Organizer { client: node.clone(), key: people.organizer.key.clone() };
        let agrees = until("the map agrees", SHOWN, || async {
            Ok((organizer.counts(&people.event.id).await? == expected).then_some(()))
        });
        if let Err(late) = agrees.await {
            let counts = organizer.counts(&people.event.id).await?;
            return Err(late.context(format!("node {number} says {counts:?}, the tickets {expected:?}")));
        }
        let shown = organizer.places(&people.event.id).await?;
        for (place, state) in shown.iter().enumerate().take(usize::try_from(all)?) {
            ensure!(
                (*state == 2) == sold.contains_key(&(place as u64)),
                "node {number}: place {place} is {state} on the map"
            );
        }
    }
    Ok(())
}

/// Every seat that is not sold, one by one, and a part of the floor, is granted to somebody who asks.
pub async fn held_again(people: &People, orders: &[Value]) -> anyhow::Result<()> {
    let sold = sold(orders)?;
    let ask = |at: u32| Buyer::new(people.nodes[at as usize % people.nodes.len()].clone());
    for seat in (0..people.event.seated.1).filter(|seat| !sold.contains_key(&u64::from(*seat))) {
        granted(ask(seat).hold_seat(&people.event, seat).await?).with_context(|| format!("seat {seat}"))?;
    }
    for number in 0..TRIES {
        granted(ask(number).hold_general(&people.event, AT_ONCE).await?).context("the floor")?;
    }
    Ok(())
}

fn granted(answer: Answer) -> anyhow::Result<()> {
    held(answer).map(drop)
}
