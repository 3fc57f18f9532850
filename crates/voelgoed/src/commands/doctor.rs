//! Runs `voelgoed doctor`: lists unbalanced journal entries, unreadable rows, dead jobs, nodes, the standby and the Redis masters.
//!
//! It fails on unbalanced entries, unreadable rows and unsafe settings of Redis.

use std::sync::Arc;

use anyhow::bail;
use voelgoed_app::jobs::ports::JobStore;
use voelgoed_app::nodes::ports::NodeStore;
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_cold::standby::Standby;
use voelgoed_warm::redis::RedisWarm;

use super::open_data;
use crate::data_directory::IfMissing;
use crate::output;
use crate::role::Role;
use crate::settings::Settings;
use crate::store_urls::{StoreUrls, WarmStore};
use crate::system_environment::SystemEnvironment;
use crate::wiring::{registry, wire};

/// Checks everything, prints the findings, and fails if one needs a person.
pub async fn doctor(settings: &Settings) -> anyhow::Result<()> {
    open_data(settings, IfMissing::Refuse)?;
    let runtime = wire(settings, Role::All, "http://localhost").await?;
    let now = runtime.slices.context.now();
    let unbalanced = runtime.slices.ledger.store.unbalanced().await?;
    let (outbox, jobs): (&dyn OutboxStore, &dyn JobStore) = (&*runtime.cold, &*runtime.cold);
    let (waiting, oldest) = outbox.pending(now).await?;
    let unreadable = outbox.unreadable(100).await?;
    let dead = jobs.dead(100).await?;
    let kinds: Vec<_> = registry(&runtime)?.kinds().collect();
    let not_run = jobs.unreadable(&kinds, now, 100).await?;
    let nodes = runtime.cold.live_nodes(now).await?;
    let standby = runtime.cold.standby().await?;
    runtime.cold.close().await;
    output::line(format_args!("unbalanced entries       {}", unbalanced.len()))?;
    output::line(format_args!("outbox events waiting    {waiting} (oldest {oldest} ms)"))?;
    output::line(format_args!("unreadable outbox events {}", unreadable.len()))?;
    for row in &unreadable {
        output::line(format_args!("  {} of {} since {}: {}", row.id, row.aggregate, row.at, row.reason))?;
    }
    output::line(format_args!("unreadable jobs          {}", not_run.len()))?;
    for job in &not_run {
        output::line(format_args!("  {} {} since {}: {}", job.id, job.kind, job.run_at, job.reason))?;
    }
    output::line(format_args!("dead jobs                {}", dead.len()))?;
    for job in &dead {
        output::line(format_args!("  {} {} {}", job.id, job.kind, job.last_error.as_deref().unwrap_or("")))?;
    }
    output::line(format_args!("nodes                    {}", nodes.len()))?;
    for node in &nodes {
        output::line(format_args!(
            "  {} {} {} {} since {}",
            node.id, node.role, node.address, node.version, node.started_at
        ))?;
    }
    output::line(format_args!("synchronous standby      {}", standby_text(&standby)))?;
    let problems = check_warm(settings).await?;
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
    if problems > 0 {
        bail!("the warm tier is not set up as it should be; see above and deploy/README.md");
    }
    Ok(())
}

/// The standby, and the loss without it.
fn standby_text(standby: &Standby) -> String {
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

/// Prints the servers of the warm tier and the problems of their settings; returns the number of problems.
async fn check_warm(settings: &Settings) -> anyhow::Result<usize> {
    let WarmStore::Redis(redis) = StoreUrls::of(settings, Role::All)?.warm else { return Ok(0) };
    let mut problems = 0;
    for master in RedisWarm::open(redis, Arc::new(SystemEnvironment)).topology().await? {
        output::line(format_args!("warm master         {} with {} replicas", master.address, master.replicas))?;
        for problem in master.problems() {
            output::line(format_args!("  {problem}"))?;
            problems += 1;
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standby_text_says_what_a_failover_loses() {
        let names = || "FIRST 1 (standby)".to_owned();
        for (standby, expected) in [
            (Standby::Embedded, "all is lost but"),
            (Standby::Asynchronous { following: 1 }, "none (1 replicas follow)"),
            (Standby::Synchronous { names: names(), connected: Some(0) }, "nothing can be sold"),
            (Standby::Synchronous { names: names(), connected: Some(1) }, "lacks nothing"),
            (Standby::Synchronous { names: names(), connected: None }, "grant pg_monitor"),
        ] {
            assert!(standby_text(&standby).contains(expected), "{standby:?}: {}", standby_text(&standby));
        }
    }
}
