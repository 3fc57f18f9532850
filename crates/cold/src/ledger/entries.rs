//! Lists journal entries with their postings, oldest first.

use std::collections::BTreeMap;

use uuid::Uuid;
use voelgoed_app::ledger::ports::{StoredEntry, StoredPosting};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::{EntryId, EventId, OrderId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::catalog::currency;
use crate::db::{Db, DbError, DbResult, Sql, binds, row, row_struct, sql};
use crate::decode_rows::decode_page;

const LIST: Sql = sql(
    "ledger.list",
    "select id, kind, event_id, order_id, currency, at from journal_entries
     where organization_id = $1 and id > $2 order by id limit $3",
);
const POSTINGS: Sql = sql(
    "ledger.postings_of",
    "select entry_id, account, amount from (values {rows:1 $1}) as v cross join journal_postings
     where organization_id = v.column2 and entry_id = v.column1 order by entry_id, line",
);

row_struct! {
    struct JournalEntryRow {
        id: Uuid,
        kind: String,
        event_id: Uuid,
        order_id: Uuid,
        currency: String,
        at: i64,
    }
}

impl JournalEntryRow {
    fn with(self, postings: Vec<StoredPosting>) -> DbResult<StoredEntry> {
        Ok(StoredEntry {
            id: EntryId::from_uuid(self.id),
            kind: self.kind,
            event: EventId::from_uuid(self.event_id),
            order: OrderId::from_uuid(self.order_id),
            currency: currency(&self.currency)?,
            postings,
            at: Timestamp::from_micros(self.at),
        })
    }
}

pub(super) async fn entries(db: &Db, organization: OrganizationId, page: PageRequest) -> DbResult<Page<StoredEntry>> {
    // No snapshot is needed: an entry and its postings are one commit and never change.
    let binds = binds![organization, page.after.unwrap_or_default(), page.limit + 1];
    let Page { items, next } =
        Page::cut(db.fetch_all::<JournalEntryRow>(organization, LIST, binds).await?, page.limit, |row| row.id);
    let ids = items.iter().map(|entry| row![entry.id]).collect();
    let rows: Vec<(Uuid, String, i64)> = db.fetch_rows(organization, POSTINGS, binds![organization], ids).await?;
    let mut postings = BTreeMap::<Uuid, Vec<StoredPosting>>::new();
    for (entry, account, amount) in rows {
        postings.entry(entry).or_default().push(StoredPosting { account, amount });
    }
    let with_postings = |row: JournalEntryRow| {
        let missing = || DbError::internal(format!("journal entry {} has no postings", row.id));
        let own = postings.remove(&row.id).ok_or_else(missing)?;
        row.with(own)
    };
    Ok(decode_page("journal_entries", Page { items, next }, with_postings))
}
