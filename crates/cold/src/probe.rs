//! Probes the store with one small write and one read, so that its health is known while no requests use it.

use voelgoed_app::error::StoreResult;
use voelgoed_resilience::Capabilities;

use crate::Cold;
use crate::db::{DbResult, Sql, SystemRole, binds, sql};

const WRITE: Sql =
    sql("pulse.beat", "insert into pulse (id, at) values (1, $1) on conflict (id) do update set at = excluded.at");
const READ: Sql = sql("pulse.feel", "select at from pulse where id = 1");

impl Cold {
    /// Writes, flushes and reads one row. The outcome also counts for the reported health.
    ///
    /// # Errors
    /// The fault of the read or the write.
    pub async fn probe(&self) -> StoreResult<()> {
        let read: DbResult<Option<(i64,)>> = self.reports.fetch_optional(SystemRole::Nodes, READ, binds![]).await;
        let mut tx = self.db.begin(SystemRole::Nodes).await?;
        tx.execute(WRITE, binds![self.environment.now()]).await?;
        tx.commit().await?;
        read?;
        Ok(())
    }

    /// Reports changes of this store's health to the capability table. Only the first call has an effect.
    pub fn report_health_to(&self, capabilities: Capabilities) {
        self.db.report_health_to(capabilities);
    }
}
