//! Finds journal entries that violate P5: a sum other than zero, a posting in another currency, fewer than two postings.

use uuid::Uuid;
use voelgoed_domain::ids::EntryId;

use crate::db::{Db, DbResult, Sql, SystemRole, sql};

/// System role: the entries of all organizations are audited. A thousand are enough for an alarm.
const UNBALANCED: Sql = sql(
    "ledger.unbalanced",
    "select e.id from journal_entries e
     left join journal_postings p on p.organization_id = e.organization_id and p.entry_id = e.id
     group by e.organization_id, e.id
     having count(p.line) < 2 or coalesce(sum(p.amount), 0) <> 0 or count(case when p.currency <> e.currency then 1 end) > 0
     order by e.id limit 1000",
);

pub(super) async fn unbalanced(db: &Db) -> DbResult<Vec<EntryId>> {
    let rows: Vec<(Uuid,)> = db.fetch_all(SystemRole::Audit, UNBALANCED, vec![]).await?;
    Ok(rows.into_iter().map(|(id,)| EntryId::from_uuid(id)).collect())
}
