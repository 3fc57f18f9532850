//! Writes entries in the caller's transaction: with the sales or refunds that they tell of, or not at all.

use voelgoed_domain::ids::{EntryId, EventId, OrderId, OrganizationId};
use voelgoed_domain::ledger::entry::JournalEntry;
use voelgoed_domain::time::Timestamp;

use crate::db::{Result, Sql, Tx, row, sql};

const ENTRIES: Sql = sql(
    "ledger.entries",
    "insert into journal_entries (organization_id, id, kind, event_id, order_id, currency, at) values {rows:7}",
);
const POSTINGS: Sql = sql(
    "ledger.postings",
    "insert into journal_postings (organization_id, entry_id, line, account, currency, amount) values {rows:6}",
);

/// What an entry tells of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    /// The entry's identifier.
    pub(crate) id: EntryId,
    /// The event.
    pub(crate) event: EventId,
    /// The order.
    pub(crate) order: OrderId,
    /// When.
    pub(crate) at: Timestamp,
}

/// Appends entries with their postings.
pub(crate) async fn append(tx: &mut Tx, organization: OrganizationId, entries: &[(Told, JournalEntry)]) -> Result<()> {
    let mut rows = Vec::with_capacity(entries.len());
    let mut postings = Vec::new();
    for (Told { id, event, order, at }, entry) in entries {
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
