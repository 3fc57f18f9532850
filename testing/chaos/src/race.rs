//! Sends far more buyers than places at once over HTTP: exactly the places are sold, and every other buyer is refused with 409 (P1).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use voelgoed_testkit::buyer::{OrderRequest, TestBuyer, acknowledged_order, granted_hold};
use voelgoed_testkit::http_client::ApiClient;
use voelgoed_testkit::limits::unlimited_with;
use voelgoed_testkit::organizer::{PlaceCounts, TestEvent, TestOrganizer};
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::server::{ServerCommand, ServerOptions, TestServer, empty_directory};
use voelgoed_testkit::until::until;

/// Places on sale.
const PLACES: u32 = 100;
/// Client addresses, so that none of them runs out of ports.
const ADDRESSES: usize = 8;
/// For all buyers to get their responses.
const RACE_TIMEOUT: Duration = Duration::from_secs(180);

/// Options of `race`.
#[derive(Debug, Args)]
pub struct RaceOptions {
    /// Buyers of each race.
    #[arg(long, default_value_t = 2000)]
    buyers: usize,
}

/// The kind of place that a buyer requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// A chosen seat, then others while it is taken.
    Seat,
    /// A place of the general-admission area.
    General,
}

/// Runs both races.
pub async fn run(binary: &Path, root: &Path, options: &RaceOptions, report: &mut SuiteReport) -> anyhow::Result<()> {
    let server_options = ServerOptions::new(binary, ServerCommand::Demo, &empty_directory(root, "race")?);
    let server_options = server_options.with_environment(unlimited_with(&[
        ("VOELGOED__SERVER__MOST_IN_FLIGHT", "10000"),
        ("VOELGOED__SERVER__REQUEST_DEADLINE", "60s"),
        ("VOELGOED__LOG__FILTER", "warn"),
    ]));
    let mut server = TestServer::started(server_options).await?;
    let organizer = TestOrganizer::of_demo(&server.url(), &server.card)?;
    for (name, wish, seats, general) in
        [("100 seats", Wish::Seat, PLACES, 1), ("a general-admission area of 100", Wish::General, 1, PLACES)]
    {
        let event = organizer.make_event(name, seats, general).await?;
        let start = std::time::Instant::now();
        let outcomes = race(&server.url(), &event, wish, options.buyers).await?;
        println!("{} buyers for {name} in {:.1} s: {outcomes:?}", options.buyers, start.elapsed().as_secs_f64());
        check(report, &organizer, &event, name, options.buyers, &outcomes).await?;
    }
    report.check("the ledger sums to zero", organizer.balanced_ledger().await.map(|_| ()));
    server.stop().await
}

async fn check(
    report: &mut SuiteReport,
    organizer: &TestOrganizer,
    event: &TestEvent,
    name: &str,
    buyers: usize,
    outcomes: &BTreeMap<String, usize>,
) -> anyhow::Result<()> {
    let count = |outcome: &str| outcomes.get(outcome).copied().unwrap_or(0);
    report.check_eq(&format!("{name}: exactly {PLACES} buyers get an order"), count("ordered"), PLACES as usize);
    let clean = count("409 place_taken") + count("409 sold_out");
    report.check_eq(&format!("{name}: every other buyer gets a 409"), clean, buyers - PLACES as usize);
    let all = u64::from(event.seated.1 + event.general.1);
    let paid = until("every order is paid", Duration::from_secs(60), || async {
        let orders = organizer.orders(&event.id).await?;
        let paid = orders.iter().filter(|order| order["state"] == "paid").count();
        Ok((paid == PLACES as usize && orders.len() == paid).then_some(()))
    });
    report.check(&format!("{name}: {PLACES} orders are paid, and there are no others"), paid.await);
    let expected = PlaceCounts { free: all - u64::from(PLACES), sold: u64::from(PLACES), ..PlaceCounts::default() };
    // The map follows a commit after a moment.
    let shown = until("the map agrees", Duration::from_secs(20), || async {
        Ok((organizer.counts(&event.id).await? == expected).then_some(()))
    });
    let shown = shown.await;
    println!("{name}: {:?}", organizer.counts(&event.id).await?);
    report.check(&format!("{name}: free + held + sold + blocked = n, and none is held"), shown);
    let ledger = organizer.balanced_ledger().await?;
    let orders = organizer.orders(&event.id).await?;
    let mut places = Vec::new();
    for order in &orders {
        let id = order["id"].as_str().unwrap_or_default();
        let sales = ledger.iter().filter(|entry| entry.order == id && entry.kind == "sale").count();
        ensure!(sales == 1, "{id} has {sales} sale entries");
        let tickets = organizer.order(id).await?["tickets"].clone();
        places.extend(tickets.as_array().into_iter().flatten().filter_map(|ticket| ticket["place"].as_u64()));
    }
    places.sort_unstable();
    let tickets = places.len();
    places.dedup();
    report.check_eq(
        &format!("{name}: one ticket per place, one sale entry per order"),
        (tickets, places.len()),
        (PLACES as usize, PLACES as usize),
    );
    Ok(())
}

/// Runs the race, and counts the outcomes of the buyers.
async fn race(url: &str, event: &TestEvent, wish: Wish, buyers: usize) -> anyhow::Result<BTreeMap<String, usize>> {
    let clients = (0..ADDRESSES)
        .map(|at| ApiClient::from_address(url, u8::try_from(at + 1).unwrap_or(1)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let start = Arc::new(Barrier::new(buyers));
    let mut tasks = JoinSet::new();
    for number in 0..buyers {
        let buyer = TestBuyer::new(clients[number % ADDRESSES].clone());
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
        let mut outcomes = BTreeMap::new();
        while let Some(end) = tasks.join_next().await {
            *outcomes.entry(end?).or_insert(0) += 1;
        }
        Ok(outcomes)
    };
    tokio::time::timeout(RACE_TIMEOUT, finish).await.context("the race does not end")?
}

/// Runs one buyer until an order or the last refusal, and returns the outcome.
async fn buy(mut buyer: TestBuyer, event: &TestEvent, wish: Wish, number: usize) -> anyhow::Result<String> {
    let mut last = String::new();
    let tries = if wish == Wish::Seat { 3 } else { 1 };
    for attempt in 0..tries {
        let place = u32::try_from((number + attempt * 37) % PLACES as usize)?;
        let response = match wish {
            Wish::Seat => buyer.hold_seat(event, place).await?,
            Wish::General => buyer.hold_general(event, 1).await?,
        };
        if response.status != 201 {
            last = format!("{} {}", response.status, response.code());
            if response.status == 409 {
                continue;
            }
            return Ok(last);
        }
        let response = buyer.order(&OrderRequest::new(&granted_hold(response)?, "ok")).await?;
        let outcome = format!("{} {}", response.status, response.code());
        let is_ordered = acknowledged_order(response).is_ok();
        return Ok(if is_ordered { "ordered".to_owned() } else { format!("order: {outcome}") });
    }
    Ok(last)
}
