//! Appends an audit line in the transaction of each act, so that act and line are one commit.

use uuid::Uuid;
use voelgoed_app::accounts::audit::current_audit_line;
use voelgoed_app::accounts::ports::AuditLine;
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::time::Timestamp;

use crate::db::{Db, DbResult, Sql, Tx, binds, row_struct, sql};

/// An act of several transactions keeps one line.
const APPEND: Sql = sql(
    "audit.append",
    "insert into audit_lines (organization_id, id, actor, action, subject, at) values ($1, $2, $3, $4, $5, $6)
     on conflict (organization_id, id) do nothing",
);
const LIST: Sql = sql(
    "audit.list",
    "select id, actor, action, subject, at from audit_lines where organization_id = $1 and id > $2 order by id limit $3",
);

row_struct! {
    struct AuditLineRow {
        id: Uuid,
        actor: String,
        action: String,
        subject: String,
        at: i64,
    }
}

/// Commits the transaction of an act with its audit line; without an actor, as in a job, it commits without a line.
pub(crate) async fn commit_act(mut tx: Tx, organization: OrganizationId) -> DbResult<()> {
    let Some(AuditLine { id, actor, action, subject, at }) = current_audit_line() else {
        return tx.commit().await;
    };
    tx.execute(APPEND, binds![organization, id, &actor, &action, &subject, at]).await?;
    tx.commit().await?;
    tracing::info!(%organization, actor, action, subject, slice = "accounts", "audited");
    Ok(())
}

pub(super) async fn list(db: &Db, organization: OrganizationId, page: PageRequest) -> DbResult<Page<AuditLine>> {
    let binds = binds![organization, page.after.unwrap_or_default(), page.limit + 1];
    let rows: Vec<AuditLineRow> = db.fetch_all(organization, LIST, binds).await?;
    let lines = rows.into_iter().map(|AuditLineRow { id, actor, action, subject, at }| AuditLine {
        id,
        actor,
        action,
        subject,
        at: Timestamp::from_micros(at),
    });
    Ok(Page::cut(lines.collect(), page.limit, |line| line.id))
}
