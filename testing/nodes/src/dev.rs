//! The platform of `cargo xtask dev --cluster`: three web nodes and two workers behind HAProxy, on a Redis Cluster and a Postgres with a replica.

use std::io::Read;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use voelgoed_testkit::cluster::{Plan, Platform};

use crate::Nodes;

/// What the platform consists of.
const ROLES: [&str; 5] = ["web", "web", "web", "worker", "worker"];

/// How it is started.
#[derive(Debug, Args)]
pub struct Options {
    /// Print addresses, keys, events and processes as one line of JSON.
    #[arg(long)]
    json: bool,
    /// End everything when standard input ends, as a child of whoever holds its other end.
    #[arg(long)]
    exit_with_parent: bool,
}

/// Runs it until SIGINT, SIGTERM, or the end of its parent.
pub async fn run(nodes: &Nodes, options: &Options) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let parent = end_of_input(options.exit_with_parent)?;
    let asked = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            Ok(()) = parent => {}
        }
    };
    tokio::pin!(asked);
    let plan = Plan {
        binary: nodes.binary.canonicalize()?,
        root: nodes.root.clone(),
        roles: ROLES.to_vec(),
        redis_cluster: true,
        replica: true,
        haproxy: Some(nodes.haproxy.canonicalize()?),
        environment: vec![("VOELGOED__SERVER__LAME_DUCK".to_owned(), "2s".to_owned())],
        time_scale: 1.0,
    };
    // Dropped half-way, everything that runs by then ends with it.
    let platform = tokio::select! {
        platform = Platform::start(plan) => platform?,
        () = &mut asked => return Ok(()),
    };
    let line = platform.line();
    if options.json {
        println!("{line}");
    } else {
        println!("The shop is open at {}", platform.url);
        println!("{line:#}");
        println!("Logs are in {}; Ctrl-C ends everything.", nodes.root.display());
    }
    asked.await;
    platform.stop().await
}

/// Completes when standard input ends; never where `watch` is false. A thread of its own, since a runtime cannot give up such a read.
fn end_of_input(watch: bool) -> anyhow::Result<oneshot::Receiver<()>> {
    let (ended, end) = oneshot::channel();
    if watch {
        std::thread::Builder::new().name("parent".into()).spawn(move || {
            while matches!(std::io::stdin().lock().read(&mut [0; 64]), Ok(1..)) {}
            ended.send(()).ok();
        })?;
    } else {
        // Kept, so that its end is not taken for the parent's.
        std::mem::forget(ended);
    }
    Ok(end)
}
