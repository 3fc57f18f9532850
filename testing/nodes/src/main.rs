//! Several nodes on shared tiers, from outside: one sale across them, one of them killed in between; a rolling restart behind HAProxy without a
//! dropped request. And the platform that `cargo xtask dev --cluster` keeps running.
//!
//! Never: a look behind the API to judge, a process that outlives this one. To add a suite: a module and a variant of [`Task`].

mod crowd;
mod dev;
mod rolling;
mod sale;
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
    /// Both suites.
    Check {
        /// On a Redis Cluster and a Postgres with a replica, and longer.
        #[arg(long)]
        long: bool,
    },
    /// A platform, until it is told to stop or its standard input ends.
    Dev(dev::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let nodes = Nodes::parse();
    let long = match &nodes.task {
        Task::Dev(options) => {
            return match dev::run(&nodes, options).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("error: {error:#}");
                    ExitCode::FAILURE
                }
            };
        }
        Task::Check { long } => *long,
    };
    let mut verdicts = Verdicts::default();
    let sale = sale::run(&nodes, long, &mut verdicts).await;
    verdicts.judge("the sale across two nodes is carried through", sale);
    let rolling = rolling::run(&nodes, long, &mut verdicts).await;
    verdicts.judge("the rolling restart is carried through", rolling);
    println!("{verdicts}");
    if verdicts.hold() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
