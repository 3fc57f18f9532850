//! Checks that places are sold once, shown as sold on every map, and on sale again where they are not sold (P1, P4).

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use voelgoed_testkit::buyer::{TestBuyer, granted_hold};
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::organizer::{PlaceCounts, TestOrganizer};
use voelgoed_testkit::until::until;

use super::super::people::StormPeople;

/// For a commit to reach every map.
const MAP_TIMEOUT: Duration = Duration::from_secs(60);
/// Places per hold of the floor, and holds; the counts cover the others.
const PLACES_PER_HOLD: u32 = 5;
const HOLDS: u32 = 20;

fn sold_places(orders: &[Value]) -> anyhow::Result<BTreeMap<u64, String>> {
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

/// Checks that each place has at most one valid ticket, and that each node's map shows exactly these places as sold.
pub async fn check_sold_once(people: &StormPeople, orders: &[Value]) -> anyhow::Result<()> {
    let sold = sold_places(orders)?;
    let all = u64::from(people.event.seated.1 + people.event.general.1);
    let expected = PlaceCounts { sold: sold.len() as u64, free: all - sold.len() as u64, ..PlaceCounts::default() };
    for (number, node) in people.nodes.iter().enumerate() {
        let organizer = TestOrganizer { client: node.clone(), key: people.organizer.key.clone() };
        let agrees = until("the map agrees", MAP_TIMEOUT, || async {
            Ok((organizer.counts(&people.event.id).await? == expected).then_some(()))
        });
        if let Err(late) = agrees.await {
            let counts = organizer.counts(&people.event.id).await?;
            return Err(late.context(format!("node {number} shows {counts:?}, the tickets are {expected:?}")));
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

/// Checks that every unsold seat, and a part of the floor, can be held.
pub async fn check_held_again(people: &StormPeople, orders: &[Value]) -> anyhow::Result<()> {
    let sold = sold_places(orders)?;
    let buyer = |at: u32| TestBuyer::new(people.nodes[at as usize % people.nodes.len()].clone());
    for seat in (0..people.event.seated.1).filter(|seat| !sold.contains_key(&u64::from(*seat))) {
        check_granted(buyer(seat).hold_seat(&people.event, seat).await?).with_context(|| format!("seat {seat}"))?;
    }
    for number in 0..HOLDS {
        check_granted(buyer(number).hold_general(&people.event, PLACES_PER_HOLD).await?).context("the floor")?;
    }
    Ok(())
}

fn check_granted(response: ApiResponse) -> anyhow::Result<()> {
    granted_hold(response).map(drop)
}
