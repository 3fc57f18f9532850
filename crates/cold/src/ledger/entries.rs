//! The entries with their postings, oldest first.

use std::collections::BTreeMap;

use uuid::Uuid;
use voelgoed_app::ledger::ports::{StoredEntry, StoredPosting};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::{EntryId, EventId, OrderId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::catalog::currency;
use crate::db::{Db, Error, Result, Sql, binds, row, sql};
use crate::readable::readable_page;

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

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    event_id: Uuid,
    order_id: Uuid,
    currency: String,
    at: i64,
}

impl Row {
    fn with(self, postings: Vec<StoredPosting>) -> Result<StoredEntry> {
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

pub(super) async fn entries(db: &Db, organization: OrganizationId, page: PageRequest) -> Result<Page<StoredEntry>> {
    // An entry and its postings are one commit and never change: no snapshot is needed.
    let binds = binds![organization, page.after.unwrap_or_default(), page.most + 1];
    let Page { items, next } =
        Page::cut(db.fetch_all::<Row>(organization, LIST, binds).await?, page.most, |row| row.id);
    let ids = items.iter().map(|entry| row![entry.id]).collect();
    let rows: Vec<(Uuid, String, i64)> = db.fetch_rows(organization, POSTINGS, binds![organization], ids).await?;
    let mut postings = BTreeMap::<Uuid, Vec<StoredPosting>>::new();
    for (entry, account, amount) in rows {
        postings.entry(entry).or_default().push(StoredPosting { account, amount });
    }
    let whole = |row: Row| {
        let missing = || Error::internal(format!("journal entry {} has no postings", row.id));
        let own = postings.remove(&row.id).ok_or_else(missing)?;
        row.with(own)
    };
    Ok(readable_page("journal_entries", Page { items, next }, whole))
}
