//! Reclaims the job and outbox leases of a dead process when the only process of an embedded database starts (P4).
//!
//! Never: while another process may use the database; the caller holds the data directory's lock. Payment attempts keep their send leases, because a
//! charge of the dead process may still be on its way (P2).

use crate::Cold;
use crate::db::{DbResult, Sql, SystemRole, binds, sql};

const OUTBOX: Sql = sql(
    "cold.take_over_facts",
    "update outbox set due_at = case when format_due_at is null then 0 else due_at end,
       format_due_at = case when format_due_at is not null then 0 end
     where delivered_at is null",
);
const JOBS: Sql =
    sql("cold.take_over_jobs", "update jobs set leased_until = 0 where leased_until is not null and dead_at is null");

impl Cold {
    /// Ends the leases of the previous process, so that its jobs and outbox rows are due at once.
    ///
    /// # Errors
    /// [`crate::db::DbError`] where the write fails; the leases then expire by themselves.
    pub async fn reclaim_leases(&self) -> DbResult<()> {
        let mut tx = self.db.begin(SystemRole::Relay).await?;
        tx.execute(OUTBOX, binds![]).await?;
        tx.commit().await?;
        let mut tx = self.db.begin(SystemRole::Jobs).await?;
        tx.execute(JOBS, binds![]).await?;
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use voelgoed_app::environment::{Environment, new_id};
    use voelgoed_app::jobs::ports::{JobStore, NewJob, Queue};

    use crate::testing::{CountingEnvironment, TempDir};
    use crate::{Cold, ColdConfig};

    #[tokio::test]
    async fn job_leased_by_a_dead_process_is_leased_again_after_the_reclaim() {
        let directory = TempDir::new();
        let environment: Arc<dyn Environment> = Arc::new(CountingEnvironment::default());
        let cold = Cold::open(ColdConfig::embedded(directory.path()), Arc::clone(&environment)).await.unwrap();
        let now = environment.now();
        let job = NewJob {
            id: new_id(&*environment),
            organization: None,
            kind: "test",
            queue: Queue::Upkeep,
            payload: serde_json::Value::Null,
            run_at: now,
            unique_key: None,
            max_attempts: 3,
        };
        cold.enqueue(vec![job]).await.unwrap();
        let lasts = Duration::from_secs(30);
        assert_eq!(cold.lease(Queue::Upkeep, &["test"], 10, now, lasts).await.unwrap().len(), 1);
        assert_eq!(cold.lease(Queue::Upkeep, &["test"], 10, now, lasts).await.unwrap().len(), 0, "it is leased");
        cold.reclaim_leases().await.unwrap();
        assert_eq!(cold.lease(Queue::Upkeep, &["test"], 10, now, lasts).await.unwrap().len(), 1);
    }
}
