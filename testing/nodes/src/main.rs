//! Several nodes on shared tiers, from outside: one sale across them, one of them killed in between; a rolling restart behind HAProxy without a
//! dropped request; the warm tier emptied at the peak of a sale; a node killed under load, with its viewers; a standby promoted; an upgrade from the
//! previous program. And the platform that
//! `cargo xtask dev --cluster` keeps running.
//!
//! Never: a look behind the API to judge, a process that outlives this one. To add a suite: a module and a variant of [`Task`].

mod crowd;
mod dev;
mod flush;
mod killed;
mod promotion;
mod rolling;
mod sale;
mod upgrade;
mod viewer;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use voelgoed_testkit::verdict::Verdicts;

/// What is run, and against what.
#[derive(Debug, Parser)]
pub struct Nodes {
    #[command(subcommand)]
    task: Task,
    /// The `voelgoed` binary.
    #[arg(long, global = true, default_value = "target/release/voelgoed")]
    binary: PathBuf,
    /// Where everything keeps its files.
    #[arg(long, global = true, default_value = "target/nodes")]
    root: PathBuf,
    /// The configuration of HAProxy.
    #[arg(long, global = true, default_value = "deploy/haproxy/haproxy.cfg")]
    haproxy: PathBuf,
}

/// What can be run.
#[derive(Debug, Subcommand)]
enum Task {
    /// Every suite.
    Check {
        /// On a Redis Cluster and a Postgres with a replica, and longer.
        #[arg(long)]
        long: bool,
    },
    /// The warm tier emptied at the peak of a sale, with figures.
    Flush(flush::Options),
    /// A node killed under load, with figures.
    Killed(killed::Options),
    /// The primary of Postgres killed, its standby promoted.
    Promotion,
    /// Nodes upgraded one by one from the previous program, which is built from the repository's history.
    Upgrade,
    /// Rows that the program does not know, in the outbox of a platform under load.
    Planted,
    /// A platform, until it is told to stop or its standard input ends.
    Dev(dev::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let nodes = Nodes::parse();
    if let Task::Dev(options) = &nodes.task {
        return match dev::run(&nodes, options).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        };
    }
    let mut verdicts = Verdicts::default();
    match &nodes.task {
        Task::Check { long } => check(&nodes, *long, &mut verdicts).await,
        Task::Flush(options) => flushed(&nodes, options, &mut verdicts).await,
        Task::Killed(options) => killed(&nodes, options, &mut verdicts).await,
        Task::Promotion => promoted(&nodes, &mut verdicts).await,
        Task::Upgrade => upgraded(&nodes, &mut verdicts).await,
        Task::Planted => planted(&nodes, &mut verdicts).await,
        Task::Dev(_) => {}
    }
    println!("{verdicts}");
    if verdicts.hold() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn check(nodes: &Nodes, long: bool, verdicts: &mut Verdicts) {
    let sale = sale::run(nodes, long, verdicts).await;
    verdicts.judge("the sale across two nodes is carried through", sale);
    let rolling = rolling::run(nodes, long, verdicts).await;
    verdicts.judge("the rolling restart is carried through", rolling);
    let flushes =
        if long { flush::Options { flushes: 30, sold: 10_000, cluster: true } } else { flush::Options::smoke() };
    flushed(nodes, &flushes, verdicts).await;
    killed(nodes, &killed::Options::smoke(), verdicts).await;
    planted(nodes, verdicts).await;
    if long {
        promoted(nodes, verdicts).await;
        upgraded(nodes, verdicts).await;
    }
}

async fn planted(nodes: &Nodes, verdicts: &mut Verdicts) {
    let planted = upgrade::planted(nodes, verdicts).await;
    verdicts.judge("the sale beside unreadable rows is carried through", planted);
}

async fn upgraded(nodes: &Nodes, verdicts: &mut Verdicts) {
    let upgraded = upgrade::upgraded(nodes, verdicts).await;
    verdicts.judge("the upgrade from the previous program is carried through", upgraded);
}

async fn promoted(nodes: &Nodes, verdicts: &mut Verdicts) {
    let promoted = promotion::run(nodes, verdicts).await;
    verdicts.judge("the promotion is carried through", promoted);
}

async fn flushed(nodes: &Nodes, options: &flush::Options, verdicts: &mut Verdicts) {
    let flushed = flush::run(nodes, options, verdicts).await;
    verdicts.judge("the sale whose warm tier is emptied is carried through", flushed);
}

async fn killed(nodes: &Nodes, options: &killed::Options, verdicts: &mut Verdicts) {
    let killed = killed::run(nodes, options, verdicts).await;
    verdicts.judge("the sale whose node is killed is carried through", killed);
}

/// Limits wide enough for one address to be everybody.
fn wide() -> Vec<(String, String)> {
    let limits = ["SESSION_BURST", "ADDRESS_BURST", "HOLD_BURST", "READ_BURST", "PLACES_PER_ADDRESS_MAX"]
        .map(|name| (name, "100000000"));
    let shares = ["BODIES", "VIEWERS", "ORDER_STREAMS"].map(|kind| (format!("{kind}_PER_ADDRESS_MAX"), "100000"));
    let organization = ("VIEWERS_PER_ORGANIZATION_MAX".to_owned(), "100000");
    let limits = limits.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(shares).chain([organization]);
    limits.map(|(name, value)| (format!("VOELGOED__LIMITS__{name}"), value.to_owned())).collect()
}
