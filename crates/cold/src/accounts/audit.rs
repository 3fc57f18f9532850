//! Who did what to what, and when: append-only.

use uuid::Uuid;
use voelgoed_app::accounts::ports::AuditLine;
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::time::Timestamp;

use crate::db::{Db, Result, Sql, binds, sql};

/// The same line again is the same line.
const APPEND: Sql = sql(
    "audit.append",
    "insert into audit_lines (organization_id, id, actor, action, subject, at) values ($1, $2, $3, $4, $5, $6)
     on conflict (organization_id, id) do nothing",
);
const LIST: Sql = sql(
    "audit.list",
    "select id, actor, action, subject, at from audit_lines where organization_id = $1 and id > $2 order by id limit $3",
);

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    actor: String,
    action: String,
    subject: String,
    at: i64,
}

pub(super) async fn append(db: &Db, organization: OrganizationId, line: &AuditLine) -> Result<()> {
    let AuditLine { id, actor, action, subject, at } = line;
    let mut tx = db.begin(organization).await?;
    tx.execute(APPEND, binds![organization, *id, actor, action, subject, *at]).await?;
    tx.commit().await
}

pub(super) async fn list(db: &Db, organization: OrganizationId, page: PageRequest) -> Result<Page<AuditLine>> {
    let binds = binds![organization, page.after.unwrap_or_default(), page.most + 1];
    let rows: Vec<Row> = db.fetch_all(organization, LIST, binds).await?;
    let lines = rows.into_iter().map(|Row { id, actor, action, subject, at }| AuditLine {
        id,
        actor,
        action,
        subject,
        at: Timestamp::from_micros(at),
    });
    Ok(Page::cut(lines.collect(), page.most, |line| line.id))
}
