//! Reads stored scans by identifier, and lists the scans or conflicts of an event.

use std::collections::BTreeSet;

use uuid::Uuid;
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_app::scanning::ports::{FirstEntry, Scan, ScanResult};
use voelgoed_domain::catalog::admission_window::AdmissionWindow;
use voelgoed_domain::ids::{DeviceId, EventId, GateId, OrganizationId, ScanId, TicketId};
use voelgoed_domain::scanning::entry::{Direction, ScanReason};
use voelgoed_domain::scanning::scan_time::DeviceClock;
use voelgoed_domain::time::Timestamp;

use crate::db::{Db, DbResult, Sql, Tx, Value, binds, row, row_struct, sql};
use crate::decode_rows::decode_page;

macro_rules! scan_columns {
    () => {
        "select id, event_id, ticket_id, label, ticket_type_name, gate_id, device_id, direction, refused, first_gate_id, first_at, \
         scanned_at, received_at, forced, conflict, clock, admits_from, admits_until"
    };
}

const READ: Sql = sql(
    "scanning.read_scans",
    concat!(
        scan_columns!(),
        " from (values {rows:1 $1}) as v cross join scans where organization_id = v.column2 and id = v.column1"
    ),
);

const LIST: Sql = sql(
    "scanning.scans_of_event",
    concat!(
        scan_columns!(),
        " from scans where organization_id = $1 and event_id = $2 and id > $3 order by id limit $4"
    ),
);

const CONFLICTS: Sql = sql(
    "scanning.conflicts_of_event",
    concat!(
        scan_columns!(),
        " from scans where organization_id = $1 and event_id = $2 and id > $3 and conflict is not null order by id limit $4"
    ),
);

row_struct! {
    struct ScanRow {
        id: Uuid,
        event_id: Uuid,
        ticket_id: Option<Uuid>,
        label: Option<String>,
        ticket_type_name: Option<String>,
        gate_id: Uuid,
        device_id: Uuid,
        direction: String,
        refused: Option<String>,
        first_gate_id: Option<Uuid>,
        first_at: Option<i64>,
        scanned_at: i64,
        received_at: i64,
        forced: bool,
        conflict: Option<String>,
        clock: String,
        admits_from: Option<i64>,
        admits_until: Option<i64>,
    }
}

impl ScanRow {
    fn scan(self) -> DbResult<Scan> {
        let first = self.first_gate_id.zip(self.first_at);
        let window = self.admits_from.zip(self.admits_until);
        Ok(Scan {
            id: ScanId::from_uuid(self.id),
            event: EventId::from_uuid(self.event_id),
            ticket: self.ticket_id.map(TicketId::from_uuid),
            label: self.label,
            ticket_type_name: self.ticket_type_name,
            gate: GateId::from_uuid(self.gate_id),
            device: DeviceId::from_uuid(self.device_id),
            direction: Direction::parse(&self.direction)?,
            result: match self.refused {
                None => ScanResult::Admitted,
                Some(reason) => ScanResult::Refused(ScanReason::parse(&reason)?),
            },
            first: first.map(|(gate, at)| FirstEntry { gate: GateId::from_uuid(gate), at: Timestamp::from_micros(at) }),
            scanned_at: Timestamp::from_micros(self.scanned_at),
            received_at: Timestamp::from_micros(self.received_at),
            forced: self.forced,
            conflict: self.conflict.is_some(),
            clock: DeviceClock::parse(&self.clock)?,
            window: window.map(|(from, until)| AdmissionWindow {
                from: Timestamp::from_micros(from),
                until: Timestamp::from_micros(until),
            }),
        })
    }
}

pub(super) async fn read(db: &Db, organization: OrganizationId, ids: &[ScanId]) -> DbResult<Vec<Scan>> {
    scans(db.fetch_rows(organization, READ, binds![organization], keys(ids)).await?)
}

pub(super) async fn read_in(tx: &mut Tx, organization: OrganizationId, ids: &[ScanId]) -> DbResult<Vec<Scan>> {
    scans(tx.fetch_rows(READ, binds![organization], keys(ids)).await?)
}

pub(super) async fn list(
    db: &Db,
    organization: OrganizationId,
    event: EventId,
    conflicts_only: bool,
    page: PageRequest,
) -> DbResult<Page<Scan>> {
    let list = if conflicts_only { CONFLICTS } else { LIST };
    let after = page.after.unwrap_or(Uuid::nil());
    let rows =
        db.fetch_all(organization, list, binds![organization, event, after, page.limit.saturating_add(1)]).await?;
    Ok(decode_page("scans", Page::cut(rows, page.limit, |row: &ScanRow| row.id), ScanRow::scan))
}

fn keys(ids: &[ScanId]) -> Vec<[Value; 1]> {
    let ids: BTreeSet<&ScanId> = ids.iter().collect();
    ids.into_iter().map(|id| row![*id]).collect()
}

fn scans(rows: Vec<ScanRow>) -> DbResult<Vec<Scan>> {
    rows.into_iter().map(ScanRow::scan).collect()
}
