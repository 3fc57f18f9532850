//! The start of the only process on an embedded database: what a dead one had leased is free at once (P4).
//!
//! Never: where another process may live on the same database; the caller holds the data directory's lock. Attempts keep their send leases,
//! because a charge of the dead process may still be on its way (P2).

use crate::Cold;
use crate::db::{Result, Sql, System, binds, sql};

const FACTS: Sql = sql(
    "cold.take_over_facts",
    "update outbox set due_at = case when format_due_at is null then 0 else due_at end,
       format_due_at = case when format_due_at is not null then 0 end
     where delivered_at is null",
);
const JOBS: Sql =
    sql("cold.take_over_jobs", "update jobs set leased_until = 0 where leased_until is not null and dead_at is null");

impl Cold {
    /// Ends the leases of whoever worked on this database before.
    ///
    /// # Errors
    /// [`crate::db::Error`] where the database does not take it; the leases then end by themselves.
    pub async fn take_over(&self) -> Result<()> {
        let mut tx = self.db.begin(System::Relay).await?;
        tx.execute(FACTS, binds![]).await?;
        tx.commit().await?;
        let mut tx = self.db.begin(System::Jobs).await?;
        tx.execute(JOBS, binds![]).await?;
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use voelgoed_app::environment::{Environment, fresh};
    use voelgoed_app::jobs::ports::{JobStore, NewJob, Queue};

    use crate::testing::{Counting, TempDir};
    use crate::{Cold, ColdConfig};

    #[tokio::test]
    async fn what_a_dead_process_had_leased_is_free_at_once() {
        let directory = TempDir::new();
        let environment: Arc<dyn Environment> = Arc::new(Counting::default());
        let cold = Cold::open(ColdConfig::embedded(directory.path()), Arc::clone(&environment)).await.unwrap();
        let now = environment.now();
        let job = NewJob {
            id: fresh(&*environment),
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
        cold.take_over().await.unwrap();
        assert_eq!(cold.lease(Queue::Upkeep, &["test"], 10, now, lasts).await.unwrap().len(), 1);
    }
}
