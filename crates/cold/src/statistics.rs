//! What Postgres' planner knows of tables that have just begun to fill. Autovacuum looks once a minute, but the first minute of a sale is the one that
//! counts: of a table that was never looked at, the planner believes that reading an organization whole is as good as looking a few rows up.

use voelgoed_app::error::Stored;

use crate::Cold;
use crate::db::{Sql, System, binds, sql};

/// Looks at tables that have more than doubled since somebody last did; so each is looked at a few times in its life. One that somebody else looks at
/// right now is left to them.
const LOOK: Sql = sql(
    "statistics.look",
    "do 'declare grown record; begin
       for grown in
         select c.oid::regclass as name from pg_stat_user_tables s join pg_class c on c.oid = s.relid
         where pg_has_role(c.relowner, ''usage'') and s.n_mod_since_analyze > greatest(c.reltuples, 255)
       loop execute format(''analyze (skip_locked) %s'', grown.name); end loop;
     end'",
);

impl Cold {
    /// Tells the planner how large the tables have become. Repeatable; nothing to do for the embedded engine, whose statements say themselves how they are
    /// carried out.
    ///
    /// # Errors
    /// Where the primary does not answer.
    pub async fn look_at_sizes(&self) -> Stored<()> {
        if !self.db.is_server() {
            return Ok(());
        }
        let mut tx = self.db.begin_unflushed(System::Nodes).await?;
        tx.execute(LOOK, binds![]).await?;
        tx.commit().await?;
        Ok(())
    }
}
