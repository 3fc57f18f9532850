//! `voelgoed doctor`: lists unbalanced journal entries, unreadable rows, dead jobs, nodes, the standby and the Redis masters; fails on the first two and on
//! unsafe settings of Redis.

use std::sync::Arc;

use anyhow::bail;
use voelgoed_app::nodes::ports::NodeStore;
use voelgoed_cold::standby::Standby;

use voelgoed_warm::redis::RedisWarm;

use super::open_data;
use crate::data_directory::IfMissing;
use crate::environment::Machine;
use crate::output;
use crate::role::Role;
use crate::settings::Settings;
use crate::tiers::{Tiers, WarmStore};
use crate::wiring::{registry, wire};

/// Looks, and says what it found; fails where something is wrong.
pub async fn doctor(settings: &Settings) -> anyhow::Result<()> {
    open_data(settings, IfMissing::Refuse)?;
    let wired = wire(settings, Role::All, "http://localhost").await?;
    let now = wired.platform.environment.now();
    let unbalanced = wired.platform.ledger.unbalanced().await?;
    let (waiting, oldest) = wired.platform.outbox.pending(now).await?;
    let unreadable = wired.platform.outbox.unreadable(100).await?;
    let dead = wired.platform.jobs.dead(100).await?;
    let kinds: Vec<_> = registry(&wired.platform, wired.cold.clone(), wired.retention)?.kinds().collect();
    let not_run = wired.platform.jobs.unreadable(&kinds, now, 100).await?;
    let nodes = wired.cold.living(now).await?;
    let standby = wired.cold.standby().await?;
    wired.cold.close().await;
    output::line(format_args!("unbalanced entries  {}", unbalanced.len()))?;
    output::line(format_args!("facts not delivered {waiting} (oldest {oldest} ms)"))?;
    output::line(format_args!("unreadable facts    {}", unreadable.len()))?;
    for row in &unreadable {
        output::line(format_args!("  {} of {} since {}: {}", row.id, row.aggregate, row.at, row.reason))?;
    }
    output::line(format_args!("unreadable jobs     {}", not_run.len()))?;
    for job in &not_run {
        output::line(format_args!("  {} {} since {}: {}", job.id, job.kind, job.run_at, job.reason))?;
    }
    output::line(format_args!("dead jobs           {}", dead.len()))?;
    for job in &dead {
        output::line(format_args!("  {} {} {}", job.id, job.kind, job.last_error.as_deref().unwrap_or("")))?;
    }
    output::line(format_args!("nodes               {}", nodes.len()))?;
    for node in &nodes {
        output::line(format_args!(
            "  {} {} {} {} since {}",
            node.id, node.role, node.address, node.version, node.started_at
        ))?;
    }
    output::line(format_args!("synchronous standby {}", spoken(&standby)))?;
    let complaints = warm(settings).await?;
    if !unbalanced.is_empty() {
        bail!(
            "journal entries do not balance; nothing was changed. Restore a backup into another directory or database \
             and compare"
        );
    }
    let waiting = unreadable.len() + not_run.len();
    if waiting > 0 {
        bail!(
            "{waiting} rows wait that this program cannot read; a newer program may read them (docs/runbooks/upgrade.md)"
        );
    }
    if complaints > 0 {
        bail!("the warm tier is not set up as it should be; see above and deploy/README.md");
    }
    Ok(())
}

/// What is there, and what is lost without it.
fn spoken(standby: &Standby) -> String {
    const RUNBOOK: &str = "docs/runbooks/promotion.md";
    match standby {
        Standby::Embedded => "none, SQLite is on one disk: without it all is lost but `voelgoed backup`s".to_owned(),
        Standby::Asynchronous { following } => format!(
            "none ({following} replicas follow): where one of them is promoted, orders, payments and scans are lost \
             that were acknowledged and had not reached it ({RUNBOOK})"
        ),
        Standby::Synchronous { names, connected: Some(0) } => {
            format!("{names}, none is there: nothing can be sold until one is ({RUNBOOK})")
        }
        Standby::Synchronous { names, connected: Some(count) } => {
            format!("{names}, {count} there: promoted, it lacks nothing that was acknowledged")
        }
        Standby::Synchronous { names, connected: None } => {
            format!("{names}; whether it is there is shown to members of pg_monitor (grant pg_monitor to this role)")
        }
    }
}

/// How the servers of the warm tier are set up; how much is wrong with that.
async fn warm(settings: &Settings) -> anyhow::Result<usize> {
    let WarmStore::Redis(redis) = Tiers::of(settings, Role::All)?.warm else { return Ok(0) };
    let mut complaints = 0;
    for master in RedisWarm::open(redis, Arc::new(Machine)).look().await? {
        output::line(format_args!("warm master         {} with {} replicas", master.address, master.replicas))?;
        for complaint in master.complaints() {
            output::line(format_args!("  {complaint}"))?;
            complaints += 1;
        }
    }
    Ok(complaints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_lost_without_a_synchronous_standby() {
        let names = || "FIRST 1 (standby)".to_owned();
        for (standby, expected) in [
            (Standby::Embedded, "all is lost but"),
            (Standby::Asynchronous { following: 1 }, "none (1 replicas follow)"),
            (Standby::Synchronous { names: names(), connected: Some(0) }, "nothing can be sold"),
            (Standby::Synchronous { names: names(), connected: Some(1) }, "lacks nothing"),
            (Standby::Synchronous { names: names(), connected: None }, "grant pg_monitor"),
        ] {
            assert!(spoken(&standby).contains(expected), "{standby:?}: {}", spoken(&standby));
        }
    }
}
