//! Appends outbox rows in the caller's transaction, so that they are committed with the state change or not at all.

use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_domain::time::Timestamp;

use super::event_body;
use crate::db::{DbResult, Sql, Tx, row, sql};

const APPEND: Sql = sql(
    "outbox.append",
    "insert into outbox (organization_id, id, aggregate, version, part, body, at, due_at, format, format_due_at) values {rows:10}",
);
/// The `due_at` of rows above format 1, far in the future: a program from before formats leaves such a row and later rows of its aggregate in the outbox.
const NEVER_DUE: i64 = i64::MAX;

/// Appends rows and wakes the relay after the commit. Rows of one aggregate and version are delivered in the given order.
pub(crate) async fn append(tx: &mut Tx, rows: &[OutboxRow]) -> DbResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut binds = Vec::with_capacity(rows.len());
    for (part, OutboxRow { id, organization, aggregate, version, outbox_event, at }) in rows.iter().enumerate() {
        let part = u32::try_from(part)?;
        let format = outbox_event.format();
        let (due_at, format_due_at) =
            if format > 1 { (Timestamp::from_micros(NEVER_DUE), Some(*at)) } else { (*at, None) };
        let body = event_body::write(outbox_event)?;
        binds.push(row![*organization, *id, *aggregate, *version, part, body, *at, due_at, format, format_due_at]);
    }
    tx.execute_rows(APPEND, vec![], binds).await?;
    tx.wake_relay_after_commit();
    Ok(())
}
