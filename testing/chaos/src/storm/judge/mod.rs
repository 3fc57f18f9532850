//! After the storm: the clients' journals and the provider's books against the server, one verdict per promise.
//!
//! Never: a rule that forgives without the promise that allows it. To add a promise: a function in the file of its subject, a line in [`organization`].

mod gate;
mod money;
mod places;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;
use voelgoed_testkit::buyer::{Buyer, placed};
use voelgoed_testkit::until::until;

use super::people::People;
use voelgoed_testkit::verdict::Verdicts;

/// No place is held, and no order open, this long after the last buyer went home.
const STUCK: Duration = Duration::from_secs(60);
/// Refunds and late money are carried out by jobs, whose attempts come less and less often; all is settled within this.
const SETTLED: Duration = Duration::from_secs(240);
/// So many requests are repeated.
const REPEATED: usize = 50;
/// Orders read at once.
const AT_ONCE: usize = 8;

/// Judges what became of one organization's sale; `name` is said in each verdict.
pub async fn organization(name: &str, people: &People, books: &Path, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let (organizer, event) = (&people.organizer, &people.event.id);
    let quiet = until("quiet", STUCK, || async {
        let orders = organizer.orders(event).await?;
        let open = orders.iter().any(|order| order["state"] == "awaiting_payment");
        Ok((!open && organizer.counts(event).await?.held == 0).then_some(()))
    });
    let mut judge = |claim: &str, outcome| verdicts.judge(&format!("{name}: {claim}"), outcome);
    let quiet = quiet.await;
    println!("{name}: {}; {:?}", people.journal, organizer.counts(event).await?);
    judge("0 holds are stuck after 60 s", quiet);
    judge("0 acknowledged orders are lost, none is doubled", orders(people).await);
    judge("a repeated request gets the same order", repeats(people).await);
    let mut seen = whole_orders(people).await?;
    let settled = until("settled", SETTLED, || {
        let orders = whole_orders(people);
        async move { money::settled(orders.await?, books) }
    });
    match settled.await {
        Ok(orders) => {
            seen = orders;
            judge("0 are charged without a ticket or a refund, 0 tickets are without money", Ok(()));
        }
        Err(_late) => judge(
            "0 are charged without a ticket or a refund, 0 tickets are without money",
            money::unsettled(&seen, books),
        ),
    }
    judge("the journal balances, and says what the provider's books say", money::journal(people, &seen, books).await);
    judge("every acknowledged refund is done", money::refunds(people).await);
    judge("0 places are oversold, and every node's map says what is sold", places::sold_once(people, &seen).await);
    judge("whatever is not sold can be held again", places::held_again(people, &seen).await);
    judge("0 acknowledged scans are lost, and what was used stays used", gate::scans(people, &seen).await);
    judge("0 tickets are let in twice while a store lives", gate::doubles(people));
    judge("0 of another organization is seen", tenants(people));
    Ok(())
}

async fn whole_orders(people: &People) -> anyhow::Result<Vec<Value>> {
    let listed = people.organizer.orders(&people.event.id).await?;
    let ids = listed.into_iter().map(|order| order["id"].as_str().unwrap_or_default().to_owned());
    let whole = ids.map(|id| async move { people.organizer.order(&id).await });
    futures::stream::iter(whole).buffer_unordered(AT_ONCE).try_collect().await
}

/// Every request was repeated until it was answered, so both sides know of exactly the same orders.
async fn orders(people: &People) -> anyhow::Result<()> {
    let listed = people.organizer.orders(&people.event.id).await?;
    let there: BTreeSet<&str> = listed.iter().filter_map(|order| order["id"].as_str()).collect();
    let acknowledged: Vec<String> = people.journal.open().orders.iter().map(|bought| bought.order.id.clone()).collect();
    let here: BTreeSet<&str> = acknowledged.iter().map(String::as_str).collect();
    ensure!(here.len() == acknowledged.len(), "two requests got the same order");
    ensure!(!here.is_empty(), "nobody bought anything");
    let lost: Vec<_> = here.difference(&there).collect();
    let nobodys: Vec<_> = there.difference(&here).collect();
    ensure!(lost.is_empty() && nobodys.is_empty(), "lost {lost:?}, nobody's {nobodys:?}");
    Ok(())
}

/// A buyer who never saw the answer, and asks again under the same key, gets what was answered then.
async fn repeats(people: &People) -> anyhow::Result<()> {
    let bought = people.journal.open().orders.clone();
    for (at, bought) in bought.iter().step_by((bought.len() / REPEATED).max(1)).enumerate() {
        let mut buyer = Buyer::new(people.nodes[at % people.nodes.len()].clone());
        let again = placed(buyer.order(&bought.request).await?)?;
        ensure!(
            again.id == bought.order.id && again.token == bought.order.token,
            "{} became {}",
            bought.order.id,
            again.id
        );
    }
    Ok(())
}

fn tenants(people: &People) -> anyhow::Result<()> {
    let pages = people.journal.open();
    ensure!(pages.looks_elsewhere > 0, "nobody looked");
    ensure!(pages.seen_elsewhere.is_empty(), "{:?}", pages.seen_elsewhere);
    Ok(())
}
