//! Inserts jobs in the caller's transaction, so that they are committed with the state that needs them or not at all.
//!
//! Of two jobs with one unique key one stays, at the earlier due time. Never: a transaction that a duplicate key aborts.

use std::collections::BTreeMap;

use voelgoed_app::jobs::ports::NewJob;

use super::job_row::stored_organization;
use crate::db::{DbResult, Sql, Tx, Value, row, sql};

const INSERT: Sql = sql(
    "jobs.insert",
    "insert into jobs (organization_id, id, kind, queue, payload, run_at, unique_key, max_attempts, attempt) values {rows:9}
     on conflict (organization_id, unique_key) where unique_key is not null and dead_at is null
     do update set run_at = excluded.run_at where excluded.run_at < jobs.run_at",
);

/// Inserts jobs and wakes the runner after the commit.
pub(crate) async fn insert(tx: &mut Tx, jobs: &[NewJob]) -> DbResult<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let mut binds = Vec::with_capacity(jobs.len());
    let mut jobs = dedupe_by_key(jobs);
    // Sorted, so that two transactions that insert the same keys cannot deadlock.
    jobs.sort_by_key(|job| (job.organization, &job.unique_key));
    for job in jobs {
        binds.push(row![
            stored_organization(job.organization),
            job.id,
            job.kind,
            job.queue.as_str(),
            Value::json(&job.payload)?,
            job.run_at,
            job.unique_key.as_ref(),
            job.max_attempts,
            0_u32,
        ]);
    }
    tx.execute_rows(INSERT, vec![], binds).await?;
    tx.wake_jobs_after_commit();
    Ok(())
}

/// One statement cannot upsert the same key twice, so the earliest job of each key stays.
fn dedupe_by_key(jobs: &[NewJob]) -> Vec<&NewJob> {
    let mut at = BTreeMap::new();
    let mut kept: Vec<&NewJob> = Vec::with_capacity(jobs.len());
    for job in jobs {
        let Some(key) = &job.unique_key else {
            kept.push(job);
            continue;
        };
        let first = *at.entry((job.organization, key)).or_insert(kept.len());
        match kept.get_mut(first) {
            None => kept.push(job),
            Some(other) if job.run_at < other.run_at => *other = job,
            Some(_) => {}
        }
    }
    kept
}
