//! `voelgoed doctor`: is the data directory sound, and does what must balance balance?

use std::sync::Arc;

use anyhow::bail;
use voelgoed_app::nodes::ports::NodeStore;

use voelgoed_warm::redis::RedisWarm;

use crate::environment::Machine;
use crate::role::Role;
use crate::settings::Settings;
use crate::tiers::{Tiers, WarmStore};
use crate::wiring::wire;

/// Looks, and says what it found; fails where something is wrong.
pub async fn doctor(settings: &Settings) -> anyhow::Result<()> {
    let wired = wire(settings, Role::All, "http://localhost").await?;
    let now = wired.platform.environment.now();
    let unbalanced = wired.platform.ledger.unbalanced().await?;
    let (waiting, oldest) = wired.platform.outbox.pending(now).await?;
    let dead = wired.platform.jobs.dead(100).await?;
    let nodes = wired.cold.living(now).await?;
    wired.cold.close().await;
    println!("unbalanced entries  {}", unbalanced.len());
    println!("facts not delivered {waiting} (oldest {oldest} ms)");
    println!("dead jobs           {}", dead.len());
    for job in &dead {
        println!("  {} {} {}", job.id, job.kind, job.last_error.as_deref().unwrap_or(""));
    }
    println!("nodes               {}", nodes.len());
    for node in &nodes {
        println!("  {} {} {} {} since {}", node.id, node.role, node.address, node.version, node.started_at);
    }
    let complaints = warm(settings).await?;
    if !unbalanced.is_empty() {
        bail!("something is wrong; restore a backup beside this directory and compare");
    }
    if complaints > 0 {
        bail!("the warm tier is not set up as it should be; see above and deploy/README.md");
    }
    Ok(())
}

/// How the servers of the warm tier are set up; how much is wrong with that.
async fn warm(settings: &Settings) -> anyhow::Result<usize> {
    let WarmStore::Redis(redis) = Tiers::of(settings, Role::All)?.warm else { return Ok(0) };
    let mut complaints = 0;
    for master in RedisWarm::open(redis, Arc::new(Machine)).look().await? {
        println!("warm master         {} with {} replicas", master.address, master.replicas);
        for complaint in master.complaints() {
            println!("  {complaint}");
            complaints += 1;
        }
    }
    Ok(complaints)
}
