//! Lists the tickets of some ticket types, so that offline scanners know their admission windows.

use uuid::Uuid;
use voelgoed_domain::ids::{EventId, OrganizationId, TicketId, TicketTypeId};

use crate::db::{Db, DbResult, Sql, binds, row, sql};

const OF_TYPES: Sql = sql(
    "scanning.tickets_of_types",
    "select l.ticket_type_id, t.id from (values {rows:1 $1}) as v
     cross join orders o
     join order_lines l on l.organization_id = o.organization_id and l.order_id = o.id and l.ticket_type_id = v.column1
     join tickets t on t.organization_id = o.organization_id and t.order_id = o.id and t.place = l.place
     where o.organization_id = v.column2 and o.event_id = $2 and t.state in ('valid', 'used') order by t.id limit $3",
);

pub(super) async fn read(
    db: &Db,
    organization: OrganizationId,
    event: EventId,
    types: &[TicketTypeId],
    limit: u32,
) -> DbResult<Vec<(TicketTypeId, TicketId)>> {
    let keys = types.iter().map(|id| row![*id]).collect();
    let found: Vec<(Uuid, Uuid)> =
        db.fetch_rows(organization, OF_TYPES, binds![organization, event, limit], keys).await?;
    Ok(found.into_iter().map(|(of, ticket)| (TicketTypeId::from_uuid(of), TicketId::from_uuid(ticket))).collect())
}
