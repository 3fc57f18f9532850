//! Recomputes and stores the moment from which an event is listed as past, after each change of its dates or ticket types.

use voelgoed_domain::catalog::event::Event;
use voelgoed_domain::ids::{EventId, OrganizationId};

use super::admission_times::times_on_sale;
use super::event_row::{EventRow, event_columns};
use crate::db::{DbResult, Sql, Tx, binds, sql};

const READ: Sql = sql(
    "events.read_dates",
    concat!("select ", event_columns!(), " from events e where e.organization_id = $1 and e.id = $2"),
);
const WRITE: Sql = sql(
    "events.past_from",
    "update events set past_from = $3 where organization_id = $1 and id = $2 and past_from <> $3",
);

/// Updates the moment. The caller has incremented the listing's version in the same commit, so concurrent changes wait for each other.
pub(super) async fn refresh(tx: &mut Tx, organization: OrganizationId, event: EventId) -> DbResult<()> {
    let Some(row) = tx.fetch_optional::<EventRow>(READ, binds![organization, event]).await? else {
        return Ok(());
    };
    let types = times_on_sale(tx, organization, event).await?;
    let past_from = Event::try_from(row)?.past_from(&types);
    tx.execute(WRITE, binds![organization, event, past_from]).await?;
    Ok(())
}
