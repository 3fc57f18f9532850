//! Appends journal entries in the caller's transaction, so that they are committed with their sale or refund or not at all.

use voelgoed_domain::ids::{EntryId, EventId, OrderId, OrganizationId};
use voelgoed_domain::ledger::entry::JournalEntry;
use voelgoed_domain::time::Timestamp;

use crate::db::{DbResult, Sql, Tx, row, sql};

const ENTRIES: Sql = sql(
    "ledger.entries",
    "insert into journal_entries (organization_id, id, kind, event_id, order_id, currency, at) values {rows:7}",
);
const POSTINGS: Sql = sql(
    "ledger.postings",
    "insert into journal_postings (organization_id, entry_id, line, account, currency, amount) values {rows:6}",
);

/// The columns of an entry beside its postings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryHeader {
    pub(crate) id: EntryId,
    pub(crate) event: EventId,
    pub(crate) order: OrderId,
    pub(crate) at: Timestamp,
}

/// Appends entries with their postings.
pub(crate) async fn append(
    tx: &mut Tx,
    organization: OrganizationId,
    entries: &[(EntryHeader, JournalEntry)],
) -> DbResult<()> {
    let mut rows = Vec::with_capacity(entries.len());
    let mut postings = Vec::new();
    for (EntryHeader { id, event, order, at }, entry) in entries {
        let currency = entry.currency().code();
        rows.push(row![organization, *id, entry.kind().as_str(), *event, *order, currency, *at]);
        for (line, posting) in entry.postings().iter().enumerate() {
            let line = u32::try_from(line)?;
            postings.push(row![organization, *id, line, posting.account.to_string(), currency, posting.amount]);
        }
    }
    tx.execute_rows(ENTRIES, vec![], rows).await?;
    tx.execute_rows(POSTINGS, vec![], postings).await?;
    Ok(())
}
