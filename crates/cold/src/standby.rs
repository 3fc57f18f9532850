//! Whether what was acknowledged is on a second server too: what `doctor` says before somebody has to promote one.

use voelgoed_app::error::StoreResult;

use crate::Cold;
use crate::db::{Sql, System, binds, sql};

const LOOK: Sql = sql(
    "standby.look",
    "select current_setting('synchronous_standby_names'), current_setting('synchronous_commit'), count(*),
            count(sync_state), count(*) filter (where sync_state in ('sync', 'quorum')) from pg_stat_replication",
);

/// How commits are kept beyond the primary's own disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standby {
    /// There is one copy, embedded.
    Embedded,
    /// Commits wait for nobody else: a promoted replica lacks what it had not received.
    Asynchronous {
        /// Replicas that follow all the same.
        following: i64,
    },
    /// Commits wait for a standby.
    Synchronous {
        /// `synchronous_standby_names`
        names: String,
        /// Those that are waited for and there; none where this role may not see it (it needs `pg_monitor`).
        connected: Option<i64>,
    },
}

impl Cold {
    /// Asks the primary.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn standby(&self) -> StoreResult<Standby> {
        if !self.db.is_server() {
            return Ok(Standby::Embedded);
        }
        let found = self.db.fetch_optional::<(String, String, i64, i64, i64)>(System::Nodes, LOOK, binds![]).await?;
        let (names, commit, following, shown, synchronous) = found.unwrap_or_default();
        if names.trim().is_empty() || matches!(commit.as_str(), "off" | "local") {
            return Ok(Standby::Asynchronous { following });
        }
        // To others than its monitors the server shows that there are replicas, and nothing else of them.
        let is_shown = following == 0 || shown > 0;
        Ok(Standby::Synchronous { names, connected: is_shown.then_some(synchronous) })
    }
}
