//! Issues the tickets of paid orders, and reads tickets for display.

use uuid::Uuid;
use voelgoed_app::checkout::ports::{OrderLine, Ticket};
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_domain::ids::{AreaId, EventId, OrderId, OrganizationId, TicketId};
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use crate::db::{Db, DbResult, Sql, Tx, Value, binds, row, row_struct, sql};

/// The columns of [`TicketRow`].
macro_rules! ticket_columns {
    () => {
        "organization_id, id, event_id, order_id, place, area_id, label, ticket_type_name, state"
    };
}

row_struct! {
    #[derive(Debug)]
    struct TicketRow {
        organization_id: Uuid,
        id: Uuid,
        event_id: Uuid,
        order_id: Uuid,
        place: i64,
        area_id: Uuid,
        label: String,
        ticket_type_name: String,
        state: String,
    }
}

impl TicketRow {
    fn ticket(self) -> DbResult<Ticket> {
        Ok(Ticket {
            id: TicketId::from_uuid(self.id),
            organization: OrganizationId::from_uuid(self.organization_id),
            event: EventId::from_uuid(self.event_id),
            order: OrderId::from_uuid(self.order_id),
            place: PlaceNumber(u32::try_from(self.place)?),
            area: AreaId::from_uuid(self.area_id),
            label: self.label,
            ticket_type_name: self.ticket_type_name,
            state: TicketState::parse(&self.state)?,
        })
    }
}

const INSERT: Sql = sql(
    "checkout.insert_tickets",
    "insert into tickets (organization_id, id, event_id, order_id, place, area_id, label, ticket_type_name, state, refunded, entries, inside)
     select $1, v.column1, v.column2, v.column3, v.column4, v.column5, v.column6, v.column7, 'valid', false, 0, false
     from (values {rows:7}) as v",
);

const READ: Sql = sql(
    "checkout.read_ticket",
    concat!("select ", ticket_columns!(), " from tickets where organization_id = $1 and id = $2"),
);

const OF_ORDER: Sql = sql(
    "checkout.read_tickets_of_order",
    concat!("select ", ticket_columns!(), " from tickets where organization_id = $1 and order_id = $2 order by id"),
);

/// Collects the tickets of orders and inserts them in one statement.
#[derive(Default)]
pub(crate) struct NewTickets {
    rows: Vec<[Value; 7]>,
    counts: Vec<(EventId, u64)>,
}

impl NewTickets {
    /// Adds one ticket per order line, with new identifiers.
    pub(crate) fn add(&mut self, environment: &dyn Environment, event: EventId, order: OrderId, lines: &[OrderLine]) {
        let ids: Vec<TicketId> = lines.iter().map(|_| new_id(environment)).collect();
        self.add_known(event, order, lines, &ids);
    }

    /// Adds one ticket per order line, with the identifiers that the answer to the buyer contains.
    pub(crate) fn add_known(&mut self, event: EventId, order: OrderId, lines: &[OrderLine], ids: &[TicketId]) {
        self.counts.push((event, lines.len() as u64));
        self.rows.extend(
            lines
                .iter()
                .zip(ids)
                .map(|(line, id)| row![*id, event, order, line.place, line.area, &line.label, &line.ticket_type_name]),
        );
    }

    pub(crate) async fn write(self, tx: &mut Tx, organization: OrganizationId) -> DbResult<()> {
        tx.execute_rows(INSERT, binds![organization], self.rows).await?;
        for (event, count) in self.counts {
            tx.count_issued_after_commit(event.uuid(), count);
        }
        Ok(())
    }
}

pub(super) async fn read(db: &Db, organization: OrganizationId, ticket: TicketId) -> DbResult<Option<Ticket>> {
    let row: Option<TicketRow> = db.fetch_optional(organization, READ, binds![organization, ticket]).await?;
    row.map(TicketRow::ticket).transpose()
}

/// An order's tickets, in the order of their creation.
pub(crate) async fn of_order(tx: &mut Tx, organization: OrganizationId, order: OrderId) -> DbResult<Vec<Ticket>> {
    let rows: Vec<TicketRow> = tx.fetch_all(OF_ORDER, binds![organization, order]).await?;
    rows.into_iter().map(TicketRow::ticket).collect()
}
