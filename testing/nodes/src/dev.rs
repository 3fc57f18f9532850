//! Runs the platform of `cargo xtask dev --cluster`: three web nodes and two workers behind HAProxy, on a Redis Cluster and a Postgres with a replica.

use std::io::Read;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use voelgoed_testkit::cluster::{ClusterPlan, TestCluster};

use crate::NodesCli;

const ROLES: [&str; 5] = ["web", "web", "web", "worker", "worker"];

/// Options of `dev`.
#[derive(Debug, Args)]
pub struct DevOptions {
    /// Print addresses, keys, events and processes as one line of JSON.
    #[arg(long)]
    json: bool,
    /// End everything when standard input ends, as a child of the process that holds its other end.
    #[arg(long)]
    exit_with_parent: bool,
}

/// Runs the platform until SIGINT, SIGTERM, or the end of its parent.
pub async fn run(nodes: &NodesCli, options: &DevOptions) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let parent = end_of_input(options.exit_with_parent)?;
    let stop_requested = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            Ok(()) = parent => {}
        }
    };
    tokio::pin!(stop_requested);
    let plan = ClusterPlan {
        binary: nodes.binary.canonicalize()?,
        root: nodes.root.clone(),
        roles: ROLES.to_vec(),
        redis_cluster: true,
        replica: true,
        haproxy: Some(nodes.haproxy.canonicalize()?),
        environment: vec![("VOELGOED__SERVER__LAME_DUCK".to_owned(), "2s".to_owned())],
        time_scale: 1.0,
    };
    // A start that is dropped half-way ends all processes that run by then.
    let platform = tokio::select! {
        platform = TestCluster::start(plan) => platform?,
        () = &mut stop_requested => return Ok(()),
    };
    let card = platform.card_with_processes();
    if options.json {
        println!("{card}");
    } else {
        println!("The shop is open at {}", platform.url);
        println!("{card:#}");
        println!("Logs are in {}; Ctrl-C ends everything.", nodes.root.display());
    }
    stop_requested.await;
    platform.stop().await
}

/// Completes when standard input ends; never where `watch` is false. Reads in a thread, since a runtime cannot cancel such a read.
fn end_of_input(watch: bool) -> anyhow::Result<oneshot::Receiver<()>> {
    let (ended, end) = oneshot::channel();
    if watch {
        std::thread::Builder::new().name("parent".into()).spawn(move || {
            while matches!(std::io::stdin().lock().read(&mut [0; 64]), Ok(1..)) {}
            ended.send(()).ok();
        })?;
    } else {
        // A dropped sender would count as the end of the parent.
        std::mem::forget(ended);
    }
    Ok(end)
}
