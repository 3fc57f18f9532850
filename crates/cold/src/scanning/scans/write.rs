//! Writes the rows of decided scans: scans, entries, exits, tickets and outbox events.

use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::scanning::ports::{Scan, ScanResult};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::scanning::entry::{Direction, ScanReason};

use super::scan_batch::ScanBatch;
use crate::db::{DbResult, Sql, Tx, Value, binds, row, sql};
use crate::outbox::OutboxBatch;

const SCANS: Sql = sql(
    "scanning.insert_scans",
    "insert into scans (organization_id, id, event_id, ticket_id, label, ticket_type_name, gate_id, device_id, direction, refused,
                        first_gate_id, first_at, scanned_at, received_at, forced, conflict, clock, admits_from, admits_until)
     select $1, v.column1, v.column2, v.column3, v.column4, v.column5, v.column6, v.column7, v.column8, v.column9, v.column10, v.column11,
            v.column12, v.column13, v.column14, v.column15, v.column16, v.column17, v.column18
     from (values {rows:18}) as v",
);

const ENTRIES: Sql = sql(
    "scanning.insert_entries",
    "insert into entries (organization_id, ticket_id, entry_no, scan_id, gate_id, at)
     select $1, v.column1, v.column2, v.column3, v.column4, v.column5 from (values {rows:5}) as v",
);

const EXITS: Sql = sql(
    "scanning.end_entries",
    "update entries set left_at = v.column3 from (values {rows:3 $1}) as v
     where entries.organization_id = v.column4 and entries.ticket_id = v.column1 and entries.entry_no = v.column2",
);

const TICKETS: Sql = sql(
    "scanning.move_tickets",
    "update tickets set state = v.column2, entries = v.column3, inside = v.column4 from (values {rows:4 $1}) as v
     where tickets.organization_id = v.column5 and tickets.id = v.column1",
);

pub(super) async fn write(
    tx: &mut Tx,
    organization: OrganizationId,
    batch: ScanBatch<'_>,
    environment: &dyn Environment,
) -> DbResult<()> {
    let mut scans: Vec<_> = batch.scans.iter().collect();
    // Sorted, because two nodes may record the same offline scans.
    scans.sort_unstable_by_key(|(scan, _)| scan.id);
    let scans = scans.into_iter().map(|(scan, conflict)| scan_row(scan, *conflict)).collect();
    tx.execute_rows(SCANS, binds![organization], scans).await?;
    let (entries, exits): (Vec<_>, Vec<_>) =
        batch.passages.iter().partition(|passage| passage.scan.direction == Direction::Entry);
    let rows = entries.iter().map(|it| row![it.ticket, it.entry_no, it.scan.id, it.scan.gate.id, it.at]).collect();
    tx.execute_rows(ENTRIES, binds![organization], rows).await?;
    let rows = exits.iter().map(|it| row![it.ticket, it.entry_no, it.at]).collect();
    tx.execute_rows(EXITS, binds![organization], rows).await?;
    let changed = batch.tickets.iter().filter(|(_, ticket)| ticket.changed);
    let rows = changed.map(|(id, ticket)| row![*id, ticket.state, ticket.entries, ticket.inside]).collect();
    tx.execute_rows(TICKETS, binds![organization], rows).await?;
    let latest = batch.scans.iter().map(|(scan, _)| scan.received_at).max().unwrap_or_default();
    let mut events = OutboxBatch::new(environment, organization, latest);
    for passage in entries.iter().filter(|passage| passage.admitted) {
        let (event, ticket) = (passage.scan.event, passage.ticket);
        events.add(ticket.uuid(), passage.entry_no, OutboxEvent::TicketAdmitted { event, ticket });
    }
    events.write(tx).await
}

fn scan_row(scan: &Scan, conflict: Option<ScanReason>) -> [Value; 18] {
    let refused = match scan.result {
        ScanResult::Admitted => None,
        ScanResult::Refused(reason) => Some(reason.as_str()),
    };
    row![
        scan.id,
        scan.event,
        scan.ticket,
        scan.label.clone(),
        scan.ticket_type_name.clone(),
        scan.gate,
        scan.device,
        scan.direction.as_str(),
        refused,
        scan.first.as_ref().map(|first| first.gate),
        scan.first.as_ref().map(|first| first.at),
        scan.scanned_at,
        scan.received_at,
        scan.forced,
        conflict.map(ScanReason::as_str),
        scan.clock.as_str(),
        scan.window.map(|window| window.from),
        scan.window.map(|window| window.until)
    ]
}
