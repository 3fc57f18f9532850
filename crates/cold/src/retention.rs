//! Deletes rows whose retention period has passed, the oldest first and a bounded number per commit.
//!
//! Never: a row that another row refers to, a system role that sees more than the table needs.
//! To add a class: its line in [`STATEMENTS`], an index by age, and the role in the table's policy.

use async_trait::async_trait;
use voelgoed_app::accounts::slice::{AUDIT_LINES, ENDED_LOGINS};
use voelgoed_app::analytics::slice::STEP_COUNTS;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_app::retention::class::RetentionClass;
use voelgoed_app::retention::ports::RetentionStore;
use voelgoed_app::retention::{ANSWERS, DELIVERED_EVENTS};
use voelgoed_app::scanning::slice::RECEIVED_SCANS;
use voelgoed_domain::time::Timestamp;

use crate::Cold;
use crate::db::{Sql, SystemRole, binds, sql};

const DELETE_OUTBOX_EVENTS: Sql = sql(
    "retention.facts",
    "delete from outbox where id in (select id from outbox where delivered_at < $1 order by delivered_at limit $2)",
);
const DELETE_ANSWERS: Sql = sql(
    "retention.answers",
    "delete from idempotency where (organization_id, scope, key) in
     (select organization_id, scope, key from idempotency where at < $1 order by at limit $2)",
);
const DELETE_LOGINS: Sql = sql(
    "retention.logins",
    "delete from console_sessions where (organization_id, token) in
     (select organization_id, token from console_sessions where expires_at < $1 order by expires_at limit $2)",
);
const DELETE_SCANS: Sql = sql(
    "retention.scans",
    "delete from scans where (organization_id, id) in
     (select organization_id, id from scans where received_at < $1 order by received_at limit $2)",
);
const DELETE_AUDIT_LINES: Sql = sql(
    "retention.audit_lines",
    "delete from audit_lines where (organization_id, id) in
     (select organization_id, id from audit_lines where at < $1 order by at limit $2)",
);
const DELETE_COUNTS: Sql = sql(
    "retention.counts",
    "delete from counts where (organization_id, event_id, entry) in
     (select organization_id, event_id, entry from counts where minute < $1 order by minute limit $2)",
);

/// The system role and the statement of each class.
const STATEMENTS: &[(RetentionClass, SystemRole, Sql)] = &[
    (DELIVERED_EVENTS, SystemRole::Relay, DELETE_OUTBOX_EVENTS),
    (ANSWERS, SystemRole::Retention, DELETE_ANSWERS),
    (ENDED_LOGINS, SystemRole::Retention, DELETE_LOGINS),
    (RECEIVED_SCANS, SystemRole::Retention, DELETE_SCANS),
    (AUDIT_LINES, SystemRole::Retention, DELETE_AUDIT_LINES),
    (STEP_COUNTS, SystemRole::Retention, DELETE_COUNTS),
];

#[async_trait]
impl RetentionStore for Cold {
    fn classes(&self) -> Vec<RetentionClass> {
        STATEMENTS.iter().map(|(class, ..)| *class).collect()
    }

    async fn delete(&self, class: RetentionClass, before: Timestamp, limit: u32) -> StoreResult<u64> {
        let Some((_, role, statement)) = STATEMENTS.iter().find(|(of, ..)| *of == class) else {
            return Err(Fault::internal(format!("no statement deletes rows of the class `{}`", class.name)));
        };
        let mut tx = self.db.begin(*role).await?;
        let deleted = tx.execute(*statement, binds![before, limit]).await?;
        tx.commit().await?;
        Ok(deleted)
    }
}
