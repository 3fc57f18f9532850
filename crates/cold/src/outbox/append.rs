//! Writes facts in the caller's transaction: with the state they tell of, or not at all.

use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_domain::time::Timestamp;

use super::body;
use crate::db::{Result, Sql, Tx, row, sql};

const APPEND: Sql = sql(
    "outbox.append",
    "insert into outbox (organization_id, id, aggregate, version, part, body, at, due_at, format, format_due_at) values {rows:10}",
);
/// The `due_at` of rows above format 1: programs that know no formats never take them, and keep later rows of their aggregate back.
const BEYOND_EVERY_CLOCK: i64 = i64::MAX;

/// Appends rows; those of one aggregate and version are delivered in the order given here. The relay hears of them after the commit.
pub(crate) async fn append(tx: &mut Tx, rows: &[OutboxRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut binds = Vec::with_capacity(rows.len());
    for (part, OutboxRow { id, organization, aggregate, version, fact, at }) in rows.iter().enumerate() {
        let part = u32::try_from(part)?;
        let format = fact.format();
        let (due_at, format_due_at) =
            if format > 1 { (Timestamp::from_micros(BEYOND_EVERY_CLOCK), Some(*at)) } else { (*at, None) };
        let body = body::write(fact)?;
        binds.push(row![*organization, *id, *aggregate, *version, part, body, *at, due_at, format, format_due_at]);
    }
    tx.execute_rows(APPEND, vec![], binds).await?;
    tx.wrote_outbox();
    Ok(())
}
