//! Checks that every sandbox method ends by itself in a ticket, in a refund or without a charge, also if server or provider is killed at any step (P2).
//!
//! Each scenario has a server of its own on a copy of the same data directory, so that scenarios run concurrently.

mod kill;
mod outcome_table;
mod purchase_state;
mod scenario;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use futures::StreamExt;
use tokio::sync::Semaphore;
use voelgoed_testkit::organizer::{TestEvent, TestOrganizer};
use voelgoed_testkit::scanner::TestScanner;
use voelgoed_testkit::server::{ServerCommand, ServerOptions, TestServer, copy_directory, empty_directory};

use self::kill::Kill;
use self::outcome_table::ROWS;
use self::scenario::PaymentScenario;
use voelgoed_testkit::report::SuiteReport;

/// Options of `payments`.
#[derive(Debug, Args)]
pub struct PaymentsOptions {
    /// Concurrent scenarios in their busy part, from the start of the server to the last order. Limited because a restart must take less than an
    /// order's time to pay.
    #[arg(long, default_value_t = 4)]
    busy: usize,
    /// Only scenarios whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// The start of every scenario.
#[derive(Debug, Clone)]
pub struct PaymentsFixture {
    /// The event on sale.
    pub event: TestEvent,
    /// The device at the event's gate.
    pub scanner: TestScanner,
}

/// Short enough to see the end of an order, and valid: a send lease outlasts two calls to the provider. Long enough for a slow machine: 30 s from the
/// kill of a server and a lease until its orders expire, and 19 s from the expiry of `late` until its capture.
const TIMES: &[(&str, &str)] = &[
    ("VOELGOED__SALE__HOLD", "20s"),
    ("VOELGOED__SALE__EXTENSION", "25s"),
    ("VOELGOED__SANDBOX__TIME_SCALE", "3"),
    ("VOELGOED__SALE__SEND_LEASE", "11s"),
    ("VOELGOED__SALE__POLL_EVERY", "1s"),
    ("VOELGOED__LOG__FILTER", "info"),
];

/// Runs the table.
pub async fn run(
    binary: &Path,
    root: &Path,
    options: &PaymentsOptions,
    report: &mut SuiteReport,
) -> anyhow::Result<()> {
    let server_options = |name: &str| -> anyhow::Result<ServerOptions> {
        let data = empty_directory(&root.join("payments"), name)?;
        Ok(ServerOptions::new(binary, ServerCommand::Demo, &data).with_environment(TIMES.iter().copied()))
    };
    let base = server_options("base")?;
    let fixture = prepare(base.clone()).await?;
    let kills = std::iter::once(None).chain(Kill::all().map(Some));
    let scenarios: Vec<PaymentScenario> = kills
        .map(|kill| PaymentScenario { kill, fixture: fixture.clone() })
        .filter(|scenario| scenario.name().contains(&options.only))
        .collect();
    println!("{} methods and a refund in {} scenarios", ROWS.len(), scenarios.len());
    let concurrency = scenarios.len().max(1);
    let busy = Arc::new(Semaphore::new(options.busy.max(1)));
    let runs = futures::stream::iter(scenarios).map(|scenario| {
        let busy = Arc::clone(&busy);
        let (base, options) = (base.data.clone(), server_options(&scenario.name().replace(' ', "-")));
        async move {
            let run = async {
                let options = options?;
                copy_directory(&base, &options.data).context("copying the data directory")?;
                scenario.run(options, busy).await
            };
            (scenario.name(), run.await)
        }
    });
    let mut runs = runs.buffer_unordered(concurrency);
    while let Some((name, run)) = runs.next().await {
        match run {
            Err(error) => report.check(&name, Err(error)),
            Ok(outcomes) => {
                for (row, outcome) in outcomes {
                    let claim = match &outcome {
                        Ok(found) => format!("{name}: `{row}` ends in {found:?}"),
                        Err(_) => format!("{name}: `{row}` ends as the table says"),
                    };
                    report.check(&claim, outcome.map(|_| ()));
                }
            }
        }
    }
    Ok(())
}

/// Makes a data directory with an event and a paired scanner.
async fn prepare(options: ServerOptions) -> anyhow::Result<PaymentsFixture> {
    let mut server = TestServer::started(options).await?;
    let organizer = TestOrganizer::of_demo(&server.url(), &server.card)?;
    let event = organizer.make_event("Payments", 40, 1).await?;
    let scanner = TestScanner::pair(&organizer, &event).await?;
    server.stop().await?;
    Ok(PaymentsFixture { event, scanner })
}
