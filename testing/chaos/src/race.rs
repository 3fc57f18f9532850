//! Far more buyers than places, all at once over HTTP: exactly the places are sold, and everybody else is told so (P1).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use voelgoed_testkit::buyer::{Buyer, OrderRequest, held, placed};
use voelgoed_testkit::client::Client;
use voelgoed_testkit::organizer::{Counts, Event, Organizer};
use voelgoed_testkit::server::{Server, Setup, fresh_directory};
use voelgoed_testkit::until::until;

use voelgoed_testkit::verdict::Verdicts;

/// What is for sale.
const PLACES: u32 = 100;
/// Connections come from so many addresses, so that none of them runs out of ports or allowance.
const ADDRESSES: usize = 8;
/// All buyers have their answer within this.
const RACE: Duration = Duration::from_secs(180);

/// How large the race is.
#[derive(Debug, Args)]
pub struct Options {
    /// Buyers of each race.
    #[arg(long, default_value_t = 2000)]
    buyers: usize,
}

/// What a buyer tries for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// A seat of their choice, then others while theirs is taken.
    Seat,
    /// A place of the general-admission area.
    General,
}

/// Runs both races.
pub async fn run(binary: &Path, root: &Path, options: &Options, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let many = "100000000".to_owned();
    let environment = vec![
        ("VOELGOED__LIMITS__ADDRESS_BURST", many.clone()),
        ("VOELGOED__LIMITS__HOLD_BURST", many.clone()),
        // All buyers come from one address.
        ("VOELGOED__SERVER__CONNECTIONS_PER_ADDRESS_MAX", many.clone()),
        ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX", many.clone()),
        ("VOELGOED__LIMITS__READ_BURST", many.clone()),
        ("VOELGOED__SERVER__MOST_IN_FLIGHT", "10000".to_owned()),
        ("VOELGOED__SERVER__REQUEST_DEADLINE", "60s".to_owned()),
        ("VOELGOED__LOG__FILTER", "warn".to_owned()),
    ];
    let setup = Setup { binary: binary.to_owned(), data: fresh_directory(root, "race")?, environment };
    let mut server = Server::start(setup).await?;
    let organizer = Organizer::of(&server.url(), &server.card)?;
    for (name, wish, seats, general) in
        [("100 seats", Wish::Seat, PLACES, 1), ("a general-admission area of 100", Wish::General, 1, PLACES)]
    {
        let event = organizer.make_event(name, seats, general).await?;
        let watch = std::time::Instant::now();
        let tally = race(&server.url(), &event, wish, options.buyers).await?;
        println!("{} buyers for {name} in {:.1} s: {tally:?}", options.buyers, watch.elapsed().as_secs_f64());
        judge(verdicts, &organizer, &event, name, options.buyers, &tally).await?;
    }
    verdicts.judge("the ledger sums to zero", organizer.balanced_journal().await.map(|_| ()));
    server.stop().await
}

async fn judge(
    verdicts: &mut Verdicts,
    organizer: &Organizer,
    event: &Event,
    name: &str,
    buyers: usize,
    tally: &BTreeMap<String, usize>,
) -> anyhow::Result<()> {
    let of = |end: &str| tally.get(end).copied().unwrap_or(0);
    verdicts.same(&format!("{name}: exactly {PLACES} buyers have an order"), of("ordered"), PLACES as usize);
    let clean = of("409 place_taken") + of("409 sold_out");
    verdicts.same(&format!("{name}: everybody else got a clean 409"), clean, buyers - PLACES as usize);
    let all = u64::from(event.seated.1 + event.general.1);
    let paid = until("every order is paid", Duration::from_secs(60), || async {
        let orders = organizer.orders(&event.id).await?;
        let paid = orders.iter().filter(|order| order["state"] == "paid").count();
        Ok((paid == PLACES as usize && orders.len() == paid).then_some(()))
    });
    verdicts.judge(&format!("{name}: {PLACES} orders are paid, and there are no others"), paid.await);
    let expected = Counts { free: all - u64::from(PLACES), sold: u64::from(PLACES), ..Counts::default() };
    // The map follows the journal by a moment.
    let shown = until("the map agrees", Duration::from_secs(20), || async {
        Ok((organizer.counts(&event.id).await? == expected).then_some(()))
    });
    let shown = shown.await;
    println!("{name}: {:?}", organizer.counts(&event.id).await?);
    verdicts.judge(&format!("{name}: free + held + sold + blocked = n, and none is held"), shown);
    let journal = organizer.balanced_journal().await?;
    let orders = organizer.orders(&event.id).await?;
    let mut places = Vec::new();
    for order in &orders {
        let id = order["id"].as_str().unwrap_or_default();
        let sales = journal.iter().filter(|entry| entry.order == id && entry.kind == "sale").count();
        ensure!(sales == 1, "{id} has {sales} sale entries");
        let tickets = organizer.order(id).await?["tickets"].clone();
        places.extend(tickets.as_array().into_iter().flatten().filter_map(|ticket| ticket["place"].as_u64()));
    }
    places.sort_unstable();
    let tickets = places.len();
    places.dedup();
    verdicts.same(
        &format!("{name}: one ticket per place, one sale entry per order"),
        (tickets, places.len()),
        (PLACES as usize, PLACES as usize),
    );
    Ok(())
}

/// How each buyer ended, counted.
async fn race(url: &str, event: &Event, wish: Wish, buyers: usize) -> anyhow::Result<BTreeMap<String, usize>> {
    let clients = (0..ADDRESSES)
        .map(|at| Client::from_address(url, u8::try_from(at + 1).unwrap_or(1)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let start = Arc::new(Barrier::new(buyers));
    let mut tasks = JoinSet::new();
    for number in 0..buyers {
        let buyer = Buyer::new(clients[number % ADDRESSES].clone());
        let (event, start) = (event.clone(), Arc::clone(&start));
        tasks.spawn(async move {
            start.wait().await;
            match buy(buyer, &event, wish, number).await {
                Ok(end) => end,
                Err(error) => format!("lost: {error:#}"),
            }
        });
    }
    let finish = async {
        let mut tally = BTreeMap::new();
        while let Some(end) = tasks.join_next().await {
            *tally.entry(end?).or_insert(0) += 1;
        }
        Ok(tally)
    };
    tokio::time::timeout(RACE, finish).await.context("the race does not end")?
}

/// One buyer, until an order or the last word. Of seats, others are tried: after `PLACES` refusals everything was taken.
async fn buy(mut buyer: Buyer, event: &Event, wish: Wish, number: usize) -> anyhow::Result<String> {
    let mut last = String::new();
    let tries = if wish == Wish::Seat { 3 } else { 1 };
    for attempt in 0..tries {
        let place = u32::try_from((number + attempt * 37) % PLACES as usize)?;
        let answer = match wish {
            Wish::Seat => buyer.hold_seat(event, place).await?,
            Wish::General => buyer.hold_general(event, 1).await?,
        };
        if answer.status != 201 {
            last = format!("{} {}", answer.status, answer.code());
            if answer.status == 409 {
                continue;
            }
            return Ok(last);
        }
        let answer = buyer.order(&OrderRequest::new(&held(answer)?, "ok")).await?;
        let end = format!("{} {}", answer.status, answer.code());
        return Ok(if placed(answer).is_ok() { "ordered".to_owned() } else { format!("order: {end}") });
    }
    Ok(last)
}
