//! One small write and one read, for whoever wants to know whether this store works. Repeatable.

use voelgoed_app::error::StoreResult;
use voelgoed_resilience::Capabilities;

use crate::Cold;
use crate::db::{Result, Sql, System, binds, sql};

const BEAT: Sql =
    sql("pulse.beat", "insert into pulse (id, at) values (1, $1) on conflict (id) do update set at = excluded.at");
const FEEL: Sql = sql("pulse.feel", "select at from pulse where id = 1");

impl Cold {
    /// Writes, flushes and reads. How it went is also reported where [`Self::report_to`] says.
    ///
    /// # Errors
    /// The fault, where it does not.
    pub async fn pulse(&self) -> StoreResult<()> {
        let read: Result<Option<(i64,)>> = self.reports.fetch_optional(System::Nodes, FEEL, binds![]).await;
        let mut tx = self.db.begin(System::Nodes).await?;
        tx.execute(BEAT, binds![self.environment.now()]).await?;
        tx.commit().await?;
        read?;
        Ok(())
    }

    /// Tells the capability table from now on how this store is.
    pub fn report_to(&self, capabilities: Capabilities) {
        self.db.report_to(capabilities);
    }
}
