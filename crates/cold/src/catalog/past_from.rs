//! Stores from which moment an event is listed as past, after each change of its dates or of its ticket types.

use voelgoed_domain::catalog::event::Event;
use voelgoed_domain::ids::{EventId, OrganizationId};

use super::event_row::{EventRow, event_columns};
use super::ticket_types;
use crate::db::{Result, Sql, Tx, binds, sql};

const READ: Sql = sql(
    "events.read_dates",
    concat!("select ", event_columns!(), " from events e where e.organization_id = $1 and e.id = $2"),
);
const WRITE: Sql = sql(
    "events.past_from",
    "update events set past_from = $3 where organization_id = $1 and id = $2 and past_from <> $3",
);

/// Writes the moment anew. The caller has raised the listing's version in the same commit, so that changes made at once wait for each other.
pub(super) async fn refresh(tx: &mut Tx, organization: OrganizationId, event: EventId) -> Result<()> {
    let Some(row) = tx.fetch_optional::<EventRow>(READ, binds![organization, event]).await? else {
        return Ok(());
    };
    let types = ticket_types::times_on_sale(tx, organization, event).await?;
    let past_from = Event::try_from(row)?.past_from(&types);
    tx.execute(WRITE, binds![organization, event, past_from]).await?;
    Ok(())
}
