//! `voelgoed doctor`: is the data directory sound, and does what must balance balance?

use anyhow::bail;

use crate::settings::Settings;
use crate::wiring::wire;

/// Looks, and says what it found; fails where something is wrong.
pub async fn doctor(settings: &Settings) -> anyhow::Result<()> {
    let wired = wire(settings, "http://localhost").await?;
    let now = wired.platform.environment.now();
    let unbalanced = wired.platform.ledger.unbalanced().await?;
    let (waiting, oldest) = wired.platform.outbox.pending(now).await?;
    let dead = wired.platform.jobs.dead(100).await?;
    wired.cold.close().await;
    println!("unbalanced entries  {}", unbalanced.len());
    println!("facts not delivered {waiting} (oldest {oldest} ms)");
    println!("dead jobs           {}", dead.len());
    for job in &dead {
        println!("  {} {} {}", job.id, job.kind, job.last_error.as_deref().unwrap_or(""));
    }
    if !unbalanced.is_empty() {
        bail!("something is wrong; restore a backup beside this directory and compare");
    }
    Ok(())
}
