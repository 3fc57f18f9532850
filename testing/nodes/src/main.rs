//! Tests several nodes on shared tiers over HTTP, and runs the platform of `cargo xtask dev --cluster`.
//!
//! | suite | what happens |
//! |---|---|
//! | `sale` | one sale across two nodes, one of them killed between hold and order |
//! | `rolling` | every node restarted behind HAProxy without a failed request |
//! | `flush` | the warm tier emptied at the peak of a sale |
//! | `killed` | a node killed under load, with its viewers |
//! | `promotion` | the primary of Postgres killed, its standby promoted |
//! | `upgrade` | nodes upgraded one by one from the previous program |
//!
//! Never: a check that reads behind the API, or a process that outlives this one. To add a suite: a module and a variant of [`NodesCommand`].

mod buyer_load;
mod dev;
mod flush;
mod killed;
mod promotion;
mod rolling;
mod two_node_sale;
mod upgrade;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use voelgoed_testkit::report::SuiteReport;

/// The command line.
#[derive(Debug, Parser)]
pub struct NodesCli {
    #[command(subcommand)]
    command: NodesCommand,
    /// The `voelgoed` binary.
    #[arg(long, global = true, default_value = "target/release/voelgoed")]
    binary: PathBuf,
    /// Holds the files of all processes.
    #[arg(long, global = true, default_value = "target/nodes")]
    root: PathBuf,
    /// The configuration of HAProxy.
    #[arg(long, global = true, default_value = "deploy/haproxy/haproxy.cfg")]
    haproxy: PathBuf,
}

/// A suite, or the platform for development.
#[derive(Debug, Subcommand)]
enum NodesCommand {
    /// Every suite.
    Check {
        /// On a Redis Cluster and a Postgres with a replica, and longer.
        #[arg(long)]
        long: bool,
    },
    /// The warm tier emptied at the peak of a sale, with figures.
    Flush(flush::FlushOptions),
    /// A node killed under load, with figures.
    Killed(killed::KilledOptions),
    /// The primary of Postgres killed, its standby promoted.
    Promotion,
    /// Nodes upgraded one by one from the previous program, which is built from the repository's history.
    Upgrade,
    /// Rows that the program does not know, in the outbox of a platform under load.
    Planted,
    /// A platform, until a signal or the end of its standard input.
    Dev(dev::DevOptions),
}

#[tokio::main]
async fn main() -> ExitCode {
    let nodes = NodesCli::parse();
    if let NodesCommand::Dev(options) = &nodes.command {
        return match dev::run(&nodes, options).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        };
    }
    let mut report = SuiteReport::default();
    match &nodes.command {
        NodesCommand::Check { long } => check(&nodes, *long, &mut report).await,
        NodesCommand::Flush(options) => flushed(&nodes, options, &mut report).await,
        NodesCommand::Killed(options) => killed(&nodes, options, &mut report).await,
        NodesCommand::Promotion => promoted(&nodes, &mut report).await,
        NodesCommand::Upgrade => upgraded(&nodes, &mut report).await,
        NodesCommand::Planted => planted(&nodes, &mut report).await,
        NodesCommand::Dev(_) => {}
    }
    println!("{report}");
    if report.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn check(nodes: &NodesCli, long: bool, report: &mut SuiteReport) {
    let sale = two_node_sale::run(nodes, long, report).await;
    report.check("the sale across two nodes runs to its end", sale);
    let rolling = rolling::run(nodes, long, report).await;
    report.check("the rolling restart runs to its end", rolling);
    let flushes = if long {
        flush::FlushOptions { flushes: 30, sold: 10_000, cluster: true }
    } else {
        flush::FlushOptions::smoke()
    };
    flushed(nodes, &flushes, report).await;
    killed(nodes, &killed::KilledOptions::smoke(), report).await;
    planted(nodes, report).await;
    if long {
        promoted(nodes, report).await;
        upgraded(nodes, report).await;
    }
}

async fn planted(nodes: &NodesCli, report: &mut SuiteReport) {
    let planted = upgrade::planted(nodes, report).await;
    report.check("the sale beside unreadable rows runs to its end", planted);
}

async fn upgraded(nodes: &NodesCli, report: &mut SuiteReport) {
    let upgraded = upgrade::upgraded(nodes, report).await;
    report.check("the upgrade from the previous program runs to its end", upgraded);
}

async fn promoted(nodes: &NodesCli, report: &mut SuiteReport) {
    let promoted = promotion::run(nodes, report).await;
    report.check("the promotion runs to its end", promoted);
}

async fn flushed(nodes: &NodesCli, options: &flush::FlushOptions, report: &mut SuiteReport) {
    let flushed = flush::run(nodes, options, report).await;
    report.check("the sale whose warm tier is emptied runs to its end", flushed);
}

async fn killed(nodes: &NodesCli, options: &killed::KilledOptions, report: &mut SuiteReport) {
    let killed = killed::run(nodes, options, report).await;
    report.check("the sale whose node is killed runs to its end", killed);
}
