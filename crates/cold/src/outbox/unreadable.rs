//! Parks outbox rows that this program cannot decode, with backoff, and lists them with rows of a newer format.
//!
//! Never: a row given up. A newer or repaired program takes the row once its pause has passed.

use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::outbox::event::{OUTBOX_FORMAT_MAX, UnreadableRow};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::time::Timestamp;

use crate::db::{Db, DbResult, Sql, SystemRole, Tx, binds, row, sql};

/// The pause after the first failure; each further failure doubles it.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// A node that can decode the row takes it within this time.
const PAUSE_MAX: Duration = Duration::from_secs(60);
const REASON_CHARS_MAX: usize = 500;

const PARK: Sql = sql(
    "outbox.park",
    "update outbox set due_at = case when format_due_at is null then v.column2 else due_at end,
       format_due_at = case when format_due_at is not null then v.column2 end,
       parked_at = coalesce(parked_at, $1), parked_count = parked_count + 1, parked_reason = v.column3
     from (values {rows:3}) as v where outbox.id = v.column1",
);
const UNREADABLE: Sql = sql(
    "outbox.unreadable",
    "select id, organization_id, aggregate, at, format, parked_reason from outbox
     where delivered_at is null and (format > $1 or parked_at is not null) order by at, version, part, id limit $2",
);

/// A row that failed to decode, and how often it was parked before.
pub(super) struct Undecoded {
    pub(super) row: UnreadableRow,
    pub(super) parked_count: i64,
}

/// Parks the rows, in the transaction that took them.
pub(super) async fn park(tx: &mut Tx, undecoded: &[Undecoded], now: Timestamp) -> DbResult<()> {
    if undecoded.is_empty() {
        return Ok(());
    }
    let park = |it: &Undecoded| {
        let reason: String = it.row.reason.chars().take(REASON_CHARS_MAX).collect();
        row![it.row.id, now.plus(pause(it.parked_count)), reason]
    };
    tx.execute_rows(PARK, binds![now], undecoded.iter().map(park).collect()).await?;
    Ok(())
}

fn pause(parked_count: i64) -> Duration {
    let doublings = u32::try_from(parked_count).unwrap_or(u32::MAX);
    let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
    PAUSE_MIN.checked_mul(factor).unwrap_or(PAUSE_MAX).min(PAUSE_MAX)
}

type UnreadableEventRow = (Uuid, Uuid, Uuid, i64, i64, Option<String>);

pub(super) async fn unreadable(db: &Db, limit: u32) -> DbResult<Vec<UnreadableRow>> {
    let rows: Vec<UnreadableEventRow> =
        db.fetch_all(SystemRole::Relay, UNREADABLE, binds![OUTBOX_FORMAT_MAX, limit]).await?;
    let listed = |(id, organization, aggregate, at, format, parked_reason): UnreadableEventRow| {
        let is_malformed = format <= i64::from(OUTBOX_FORMAT_MAX);
        let newer = || format!("it has format {format}; this program reads up to {OUTBOX_FORMAT_MAX}");
        UnreadableRow {
            id,
            organization: OrganizationId::from_uuid(organization),
            aggregate,
            at: Timestamp::from_micros(at),
            reason: if is_malformed { parked_reason.unwrap_or_default() } else { newer() },
            is_malformed,
        }
    };
    Ok(rows.into_iter().map(listed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_doubles_up_to_its_limit() {
        for (count, seconds) in [(0, 1), (1, 2), (5, 32), (6, 60), (31, 60), (32, 60), (i64::MAX, 60), (-1, 60)] {
            assert_eq!(pause(count), Duration::from_secs(seconds), "{count}");
        }
    }
}
