//! Reads the admission times of the ticket types of an event.

use uuid::Uuid;
use voelgoed_domain::catalog::admission_window::AdmissionTimes;
use voelgoed_domain::ids::{EventId, OrganizationId, TicketTypeId};

use super::event_row::times;
use crate::db::{DbResult, Sql, Tx, binds, row_struct, sql};

/// Ticket types with admission times, on sale or not.
const TIMES: Sql = sql(
    "ticket_types.times",
    "select id, retired_at is not null as retired, doors_at, ends_at, admits_from, admits_until from ticket_types
     where organization_id = $1 and event_id = $2
       and coalesce(doors_at, ends_at, admits_from, admits_until) is not null order by id",
);

const TIMES_ON_SALE: Sql = sql(
    "ticket_types.times_on_sale",
    "select id, false as retired, doors_at, ends_at, admits_from, admits_until from ticket_types
     where organization_id = $1 and event_id = $2 and retired_at is null",
);

row_struct! {
    struct TimesRow {
        id: Uuid,
        retired: bool,
        doors_at: Option<i64>,
        ends_at: Option<i64>,
        admits_from: Option<i64>,
        admits_until: Option<i64>,
    }
}

/// The admission times of an event's ticket types that have any, and whether each is retired.
pub(super) async fn admission_times(
    tx: &mut Tx,
    organization: OrganizationId,
    event: EventId,
) -> DbResult<Vec<(TicketTypeId, bool, AdmissionTimes)>> {
    let rows: Vec<TimesRow> = tx.fetch_all(TIMES, binds![organization, event]).await?;
    let read = |row: TimesRow| {
        let admission = times(row.doors_at, row.ends_at, row.admits_from, row.admits_until);
        (TicketTypeId::from_uuid(row.id), row.retired, admission)
    };
    Ok(rows.into_iter().map(read).collect())
}

/// The admission times of all ticket types of an event that are on sale, empty ones too.
pub(super) async fn times_on_sale(
    tx: &mut Tx,
    organization: OrganizationId,
    event: EventId,
) -> DbResult<Vec<AdmissionTimes>> {
    let rows: Vec<TimesRow> = tx.fetch_all(TIMES_ON_SALE, binds![organization, event]).await?;
    Ok(rows.into_iter().map(|row| times(row.doors_at, row.ends_at, row.admits_from, row.admits_until)).collect())
}
