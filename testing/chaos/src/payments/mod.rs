//! Every sandbox method ends, without a human, in a ticket, no charge or a refund; also where server or provider is killed at any step (P2).
//!
//! The table says how; each scenario is a server of its own on a copy of the same data directory, so that all of them run side by side.

mod evidence;
mod scenario;
mod table;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use futures::StreamExt;
use tokio::sync::Semaphore;
use voelgoed_testkit::organizer::{Event, Organizer};
use voelgoed_testkit::scanner::Scanner;
use voelgoed_testkit::server::{Server, Setup, copy_directory, fresh_directory};

use self::scenario::{Kill, Scenario};
use self::table::ROWS;
use voelgoed_testkit::verdict::Verdicts;

/// How much is run.
#[derive(Debug, Args)]
pub struct Options {
    /// Scenarios at once in their busy part, from the start of the server to the last order; none of it depends on the machine's pace
    /// but the time that a server needs to come back, and that must not be all of an order's time to pay.
    #[arg(long, default_value_t = 4)]
    busy: usize,
    /// Only scenarios whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// What every scenario starts from.
#[derive(Debug, Clone)]
pub struct Stage {
    /// On sale.
    pub event: Event,
    /// At its gate.
    pub scanner: Scanner,
}

/// Times short enough to see the end of an order, and lawful: a send lease outlasts two calls to the provider. Long enough for a slow machine:
/// from the kill of a server, after a lease, until its orders lapse there are 30 s, and 19 s from the end of `late` until its capture.
const TIMES: &[(&str, &str)] = &[
    ("VOELGOED__SALE__HOLD", "20s"),
    ("VOELGOED__SALE__EXTENSION", "25s"),
    ("VOELGOED__SANDBOX__TIME_SCALE", "3"),
    ("VOELGOED__SALE__SEND_LEASE", "11s"),
    ("VOELGOED__SALE__POLL_EVERY", "1s"),
    ("VOELGOED__LOG__FILTER", "info"),
];

/// Runs the table.
pub async fn run(binary: &Path, root: &Path, options: &Options, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let environment: Vec<_> = TIMES.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let setup = |name: &str| -> anyhow::Result<Setup> {
        let data = fresh_directory(&root.join("payments"), name)?;
        Ok(Setup { binary: binary.to_owned(), data, environment: environment.clone() })
    };
    let base = setup("base")?;
    let stage = prepare(base.clone()).await?;
    let kills = std::iter::once(None).chain(Kill::all().map(Some));
    let scenarios: Vec<Scenario> = kills
        .map(|kill| Scenario { kill, stage: stage.clone() })
        .filter(|scenario| scenario.name().contains(&options.only))
        .collect();
    println!("{} methods and a refund in {} scenarios", ROWS.len(), scenarios.len());
    let at_once = scenarios.len().max(1);
    let busy = Arc::new(Semaphore::new(options.busy.max(1)));
    let runs = futures::stream::iter(scenarios).map(|scenario| {
        let busy = Arc::clone(&busy);
        let (base, setup) = (base.data.clone(), setup(&scenario.name().replace(' ', "-")));
        async move {
            let played = async {
                let setup = setup?;
                copy_directory(&base, &setup.data).context("copying the data directory")?;
                scenario.play(setup, busy).await
            };
            (scenario.name(), played.await)
        }
    });
    let mut runs = runs.buffer_unordered(at_once);
    while let Some((name, played)) = runs.next().await {
        match played {
            Err(error) => verdicts.judge(&name, Err(error)),
            Ok(ends) => {
                for (row, outcome) in ends {
                    let claim = match &outcome {
                        Ok(end) => format!("{name}: `{row}` ends in {end:?}"),
                        Err(_) => format!("{name}: `{row}` ends as the table says"),
                    };
                    verdicts.judge(&claim, outcome.map(|_| ()));
                }
            }
        }
    }
    Ok(())
}

/// A data directory with an event and a paired scanner.
async fn prepare(setup: Setup) -> anyhow::Result<Stage> {
    let mut server = Server::start(setup).await?;
    let organizer = Organizer::of(&server.url(), &server.card)?;
    let event = organizer.make_event("Payments", 40, 1).await?;
    let scanner = Scanner::pair(&organizer, &event).await?;
    server.stop().await?;
    Ok(Stage { event, scanner })
}
