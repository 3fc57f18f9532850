//! Changes an event's name, dates or sale window, and moves the admission windows of its ticket types with its start.
//!
//! Never: a change after which a ticket type has no time to admit.

use voelgoed_domain::catalog::event::{Event, EventChange, start_shift_micros};
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::admission_times::admission_times;
use super::event_row::{EventRow, event_columns};
use super::listing_change::listing_changed;
use super::past_from;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{DbResult, Sql, binds, sql};

const READ: Sql = sql(
    "events.read_to_change",
    concat!("select ", event_columns!(), " from events e where e.organization_id = $1 and e.id = $2 {for_update}"),
);
const CHANGE: Sql = sql(
    "events.change",
    "update events set name = $3, starts_at = $4, timezone = $5, opens_at = $6, closes_at = $7,
       doors_at = $8, ends_at = $9, admits_from = $10, admits_until = $11
     where organization_id = $1 and id = $2",
);
const MOVE_TYPES: Sql = sql(
    "ticket_types.move",
    "update ticket_types set doors_at = doors_at + $3, ends_at = ends_at + $3, admits_from = admits_from + $3, admits_until = admits_until + $3
     where organization_id = $1 and event_id = $2 and coalesce(doors_at, ends_at, admits_from, admits_until) is not null",
);

pub(super) async fn change(
    cold: &Cold,
    organization: OrganizationId,
    event: EventId,
    change: &EventChange,
    now: Timestamp,
) -> DbResult<Result<Event, Refusal>> {
    let mut tx = cold.db.begin(organization).await?;
    let Some(row) = tx.fetch_optional::<EventRow>(READ, binds![organization, event]).await? else {
        return Ok(Err(Refusal::not_found()));
    };
    let before = Event::try_from(row)?;
    let after = match change.apply(&before) {
        Ok(after) => after,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if after == before {
        return Ok(Ok(after));
    }
    let moved = start_shift_micros(&before, &after);
    for (_, _, times) in admission_times(&mut tx, organization, event).await? {
        if let Err(refusal) = times.moved(moved).check_type(after.admission_window()) {
            let detail = format!("With these dates a ticket type would have no time to admit. {}", refusal.detail);
            return Ok(Err(Refusal { detail, ..refusal }));
        }
    }
    let times = after.admission;
    let binds = binds![
        organization,
        event,
        &after.name,
        after.starts_at,
        &after.timezone,
        after.sale.opens_at,
        after.sale.closes_at,
        times.doors_at,
        times.ends_at,
        times.admits_from,
        times.admits_until,
    ];
    tx.execute(CHANGE, binds).await?;
    if moved != 0 {
        tx.execute(MOVE_TYPES, binds![organization, event, moved]).await?;
    }
    listing_changed(&mut tx, &*cold.environment, organization, event, now).await?;
    past_from::refresh(&mut tx, organization, event).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(after))
}
