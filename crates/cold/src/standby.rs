//! Reads whether commits wait for a second server, so that `doctor` can warn before a promotion loses acknowledged sales.

use voelgoed_app::error::StoreResult;

use crate::Cold;
use crate::db::{Sql, SystemRole, binds, sql};

const REPLICATION: Sql = sql(
    "standby.look",
    "select current_setting('synchronous_standby_names'), current_setting('synchronous_commit'), count(*),
            count(sync_state), count(*) filter (where sync_state in ('sync', 'quorum')) from pg_stat_replication",
);

/// How commits are replicated beyond the primary's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standby {
    /// The embedded database: one copy.
    Embedded,
    /// Commits do not wait for a standby: a promoted replica lacks what it had not received.
    Asynchronous {
        /// The number of connected replicas.
        following: i64,
    },
    /// Commits wait for a standby.
    Synchronous {
        /// The setting `synchronous_standby_names`.
        names: String,
        /// The number of connected synchronous standbys; none where this role may not see it (it needs `pg_monitor`).
        connected: Option<i64>,
    },
}

impl Cold {
    /// Reads the replication of the primary.
    ///
    /// # Errors
    /// Where the primary does not answer.
    pub async fn standby(&self) -> StoreResult<Standby> {
        if !self.db.is_server() {
            return Ok(Standby::Embedded);
        }
        let found =
            self.db.fetch_optional::<(String, String, i64, i64, i64)>(SystemRole::Nodes, REPLICATION, binds![]).await?;
        let (names, commit, following, visible, synchronous) = found.unwrap_or_default();
        if names.trim().is_empty() || matches!(commit.as_str(), "off" | "local") {
            return Ok(Standby::Asynchronous { following });
        }
        // Without `pg_monitor` the server shows how many replicas there are, but not their state.
        let is_visible = following == 0 || visible > 0;
        Ok(Standby::Synchronous { names, connected: is_visible.then_some(synchronous) })
    }
}
