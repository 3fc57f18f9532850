//! Increments the epoch of an event's warm state, so that writes of an older epoch are refused.

use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::ticketing::place::Epoch;

use crate::db::{Db, DbError, DbResult, Sql, binds, sql};

const RAISE: Sql = sql(
    "ticketing.raise_epoch",
    "insert into epochs (organization_id, event_id, epoch) values ($1, $2, 1)
     on conflict (organization_id, event_id) do update set epoch = epochs.epoch + 1
     returning epoch",
);

pub(super) async fn raise(db: &Db, organization: OrganizationId, event: EventId) -> DbResult<Epoch> {
    let mut tx = db.begin(organization).await?;
    let raised: Option<(i64,)> = tx.fetch_optional(RAISE, binds![organization, event]).await?;
    let (epoch,) = raised.ok_or_else(|| DbError::internal("a raised epoch was not returned"))?;
    tx.commit().await?;
    Ok(Epoch(u64::try_from(epoch)?))
}
