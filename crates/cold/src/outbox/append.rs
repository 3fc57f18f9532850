//! Writes facts in the caller's transaction: with the state they tell of, or not at all.

use voelgoed_app::outbox::fact::OutboxRow;

use super::body;
use crate::db::{Result, Sql, Tx, row, sql};

const APPEND: Sql = sql(
    "outbox.append",
    "insert into outbox (organization_id, id, aggregate, version, part, body, at, due_at) values {rows:8}",
);

/// Appends rows; those of one aggregate and version are delivered in the order given here. The relay hears of them after the commit.
pub(crate) async fn append(tx: &mut Tx, rows: &[OutboxRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut binds = Vec::with_capacity(rows.len());
    for (part, OutboxRow { id, organization, aggregate, version, fact, at }) in rows.iter().enumerate() {
        let part = u32::try_from(part)?;
        binds.push(row![*organization, *id, *aggregate, *version, part, body::write(fact)?, *at, *at]);
    }
    tx.execute_rows(APPEND, vec![], binds).await?;
    tx.wrote_outbox();
    Ok(())
}
