//! What Postgres' planner knows of tables that have just begun to fill. Autovacuum looks once a minute, but the first minute of a sale is the one that
//! counts: of a table that was never looked at, the planner believes that reading an organization whole is as good as looking a few rows up.
//!
//! Never: a large table, which takes long and is autovacuum's; several in one transaction, since what one that fails takes back is not all that marks the
//! others as looked at.

use voelgoed_app::error::StoreResult;

use crate::Cold;
use crate::db::{Sql, System, binds, sql};

/// Tables that have more than doubled since somebody looked: each is one a few times in its life, and one whose rows only come and go never is.
macro_rules! grown {
    () => {
        "pg_stat_user_tables s join pg_class c on c.oid = s.relid
         where c.relowner = current_user::regrole::oid and s.n_live_tup between 256 and 1000000 and s.n_live_tup > 2 * c.reltuples"
    };
}

const COUNT: Sql = sql("statistics.grown", concat!("select count(*) from ", grown!()));

/// Looks at one of them, unless another worker does; one that autovacuum looks at right now is left to it.
const LOOK: Sql = sql(
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
    /// Tells the planner how large the tables have become. Repeatable; nothing to do for the embedded engine, whose statements say themselves how they are
    /// carried out.
    ///
    /// # Errors
    /// Where the primary does not answer, or a look takes longer than a statement may.
    pub async fn look_at_sizes(&self) -> StoreResult<()> {
        if !self.db.is_server() {
            return Ok(());
        }
        let grown: Option<(i64,)> = self.db.fetch_optional(System::Nodes, COUNT, binds![]).await?;
        for _ in 0..grown.unwrap_or_default().0 {
            let mut tx = self.db.begin_unflushed(System::Nodes).await?;
            tx.execute(LOOK, binds![]).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
