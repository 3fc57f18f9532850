//! Analyzes Postgres tables that have just begun to fill, so that the planner looks up rows by key in the first minute of a sale.
//!
//! Autovacuum analyzes once a minute. For a table that was never analyzed, the planner estimates that reading all rows of an organization costs as little
//! as a few look-ups.
//! Never: a large table, which takes long and is left to autovacuum; several tables in one transaction, because a rollback does not undo every mark that
//! they were analyzed.

use voelgoed_app::error::StoreResult;

use crate::Cold;
use crate::db::{Sql, SystemRole, binds, sql};

/// Tables that have more than doubled since they were analyzed: a growing table qualifies a few times, one whose rows come and go never does.
macro_rules! grown {
    () => {
        "pg_stat_user_tables s join pg_class c on c.oid = s.relid
         where c.relowner = current_user::regrole::oid and s.n_live_tup between 256 and 1000000 and s.n_live_tup > 2 * c.reltuples"
    };
}

const COUNT: Sql = sql("statistics.grown", concat!("select count(*) from ", grown!()));

/// Analyzes one of them, unless another worker or autovacuum analyzes at the moment.
const ANALYZE_ONE: Sql = sql(
    "statistics.look",
    concat!(
        "do 'declare name regclass; begin
           if pg_try_advisory_xact_lock(7061787472) then
             select c.oid::regclass into name from ",
        grown!(),
        "    order by random() limit 1;
             if name is not null then
               perform set_config(''client_min_messages'', ''error'', true);
               execute format(''analyze (skip_locked) %s'', name);
             end if;
           end if;
         end'"
    ),
);

impl Cold {
    /// Analyzes the tables that have grown, one by one. Idempotent. Does nothing on the embedded engine, whose statements fix their own join order.
    ///
    /// # Errors
    /// Where the primary does not answer, or an analysis exceeds the statement timeout.
    pub async fn analyze_grown_tables(&self) -> StoreResult<()> {
        if !self.db.is_server() {
            return Ok(());
        }
        let grown: Option<(i64,)> = self.db.fetch_optional(SystemRole::Nodes, COUNT, binds![]).await?;
        for _ in 0..grown.unwrap_or_default().0 {
            let mut tx = self.db.begin_unflushed(SystemRole::Nodes).await?;
            tx.execute(ANALYZE_ONE, binds![]).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
