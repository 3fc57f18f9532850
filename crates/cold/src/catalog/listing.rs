//! Reads the listing of an event (layout, ticket types, price rules) in one snapshot.

use voelgoed_domain::catalog::event::Event;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{EventId, OrganizationId};

use super::admission_times::admission_times;
use super::event_row::{EventRow, event_columns};
use super::{layouts, price_rules, ticket_types};
use crate::Cold;
use crate::db::{DbResult, Sql, binds, sql};

const EVENT: Sql = sql(
    "events.read",
    concat!("select ", event_columns!(), " from events e where e.organization_id = $1 and e.id = $2"),
);

pub(super) async fn read(cold: &Cold, organization: OrganizationId, event: EventId) -> DbResult<Option<Listing>> {
    let mut snapshot = cold.db.snapshot(organization).await?;
    let Some(row) = snapshot.fetch_optional::<EventRow>(EVENT, binds![organization, event]).await? else {
        return Ok(None);
    };
    let event = Event::try_from(row)?;
    let layout = layouts::plan_of(cold, &mut snapshot, organization, event.layout).await?;
    let ticket_types = ticket_types::on_sale(&mut snapshot, organization, event.id).await?;
    let price_rules = price_rules::of_event(&mut snapshot, organization, event.id).await?;
    let times = admission_times(&mut snapshot, organization, event.id).await?;
    let retired = times.into_iter().filter(|(_, retired, _)| *retired).map(|(id, _, times)| (id, times)).collect();
    Ok(Some(Listing { event, layout, ticket_types, price_rules, retired }))
}
