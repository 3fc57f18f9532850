//! Inserts the counts that nodes collected for an event; an entry that is delivered twice is inserted once.

use voelgoed_app::analytics::ports::StepCountEntry;
use voelgoed_app::ticketing::ports::EventScope;

use crate::db::{Db, DbResult, Sql, row, sql};

const ADD: Sql = sql(
    "analytics.add",
    "insert into counts (organization_id, event_id, entry, minute, viewed, held, refused) values {rows:7}
     on conflict (organization_id, event_id, entry) do nothing",
);

pub(super) async fn add(db: &Db, scope: EventScope, counted: &[StepCountEntry]) -> DbResult<()> {
    if counted.is_empty() {
        return Ok(());
    }
    let EventScope { organization, event } = scope;
    let row = |StepCountEntry { id, minute, counts }: &StepCountEntry| {
        row![organization, event, id, *minute, counts.viewed, counts.held, counts.refused]
    };
    let mut tx = db.begin(organization).await?;
    tx.execute_rows(ADD, vec![], counted.iter().map(row).collect()).await?;
    tx.commit().await
}
