//! Locks the tickets of a batch of scans, and decides the scans in memory by arrival.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use voelgoed_app::scanning::ports::{FirstEntry, NewScan, Scan, ScanResult};
use voelgoed_domain::catalog::admission_window::AdmissionWindow;
use voelgoed_domain::ids::{AreaId, EventId, GateId, OrganizationId, TicketId, TicketTypeId};
use voelgoed_domain::scanning::entry::{
    Direction, EntryRule, PriorEntry, ScanDecision, ScanInputs, ScanReason, decide_scan,
};
use voelgoed_domain::scanning::ticket::{TicketState, TicketTransition};
use voelgoed_domain::state_machine::StateMachine;
use voelgoed_domain::time::Timestamp;

use crate::db::{DbError, DbResult, Sql, Tx, binds, row, row_struct, sql};

/// The event's row is read without a lock, so scans do not wait for each other.
const LOCK: Sql = sql(
    "scanning.lock_tickets",
    "select id, event_id, area_id, label, ticket_type_name, state, refunded, entries, inside,
       (select e.entry_rule from events e where e.organization_id = tickets.organization_id and e.id = tickets.event_id) as entry_rule,
       (select l.ticket_type_id from order_lines l
        where l.organization_id = tickets.organization_id and l.order_id = tickets.order_id and l.place = tickets.place limit 1) as ticket_type_id
     from (values {rows:1 $1}) as v cross join tickets
     where organization_id = v.column2 and id = v.column1 order by id {for_update}",
);

/// The entry that a refusal shows, by its number.
const SHOWN: Sql = sql(
    "scanning.shown_entries",
    "select e.ticket_id, e.gate_id, e.at from (values {rows:2 $1}) as v
     cross join entries e where e.organization_id = v.column3 and e.ticket_id = v.column1 and e.entry_no = v.column2",
);

row_struct! {
    struct TicketRow {
        id: Uuid,
        event_id: Uuid,
        area_id: Uuid,
        label: String,
        ticket_type_name: String,
        state: String,
        refunded: bool,
        entries: i64,
        inside: bool,
        entry_rule: Option<String>,
        ticket_type_id: Option<Uuid>,
    }
}

impl TicketRow {
    fn rule(&self) -> DbResult<EntryRule> {
        Ok(self.entry_rule.as_deref().map_or(Ok(EntryRule::default()), EntryRule::parse)?)
    }

    /// The number of the entry that a refusal shows: the first one, or with re-entry the last one.
    fn shown_entry(&self) -> DbResult<i64> {
        Ok(if self.rule()? == EntryRule::Single { 1 } else { self.entries })
    }
}

/// A ticket with the changes of the scans decided so far.
#[derive(Debug)]
pub(super) struct LockedTicket {
    rule: EntryRule,
    event: EventId,
    area: AreaId,
    label: String,
    ticket_type: Option<TicketTypeId>,
    ticket_type_name: String,
    pub(super) state: TicketState,
    refunded: bool,
    pub(super) entries: u32,
    pub(super) inside: bool,
    before: Option<PriorEntry>,
    pub(super) changed: bool,
}

/// An entry or an exit to write.
#[derive(Debug)]
pub(super) struct Passage<'a> {
    pub(super) scan: &'a NewScan,
    pub(super) ticket: TicketId,
    pub(super) entry_no: u32,
    pub(super) at: Timestamp,
    /// True for the first admission of the ticket.
    pub(super) admitted: bool,
}

/// The tickets of a batch of scans, and the decisions so far.
pub(super) struct ScanBatch<'a> {
    pub(super) tickets: BTreeMap<TicketId, LockedTicket>,
    /// The scans to store, with the reason against a forced admission.
    pub(super) scans: Vec<(Scan, Option<ScanReason>)>,
    pub(super) passages: Vec<Passage<'a>>,
}

impl<'a> ScanBatch<'a> {
    /// Locks and reads the tickets of the scans.
    pub(super) async fn open(tx: &mut Tx, organization: OrganizationId, scans: &[&NewScan]) -> DbResult<Self> {
        let named: BTreeSet<TicketId> = scans.iter().filter_map(|scan| scan.ticket).collect();
        let keys = named.into_iter().map(|ticket| row![ticket]).collect();
        let rows: Vec<TicketRow> = tx.fetch_rows(LOCK, binds![organization], keys).await?;
        let seen = rows.iter().filter(|ticket| ticket.entries > 0);
        let seen = seen.map(|ticket| Ok(row![ticket.id, ticket.shown_entry()?])).collect::<DbResult<Vec<_>>>()?;
        let before: Vec<(Uuid, Uuid, i64)> = tx.fetch_rows(SHOWN, binds![organization], seen).await?;
        let mut before: BTreeMap<Uuid, PriorEntry> = before
            .into_iter()
            .map(|(ticket, gate, at)| {
                (ticket, PriorEntry { gate: GateId::from_uuid(gate), at: Timestamp::from_micros(at) })
            })
            .collect();
        let mut tickets = BTreeMap::new();
        for row in rows {
            let before = before.remove(&row.id);
            tickets.insert(TicketId::from_uuid(row.id), LockedTicket::read(row, before)?);
        }
        Ok(Self { tickets, scans: Vec::new(), passages: Vec::new() })
    }

    /// Decides a scan on the state after the scans before it.
    pub(super) fn decide(&mut self, new: &'a NewScan) -> DbResult<Scan> {
        let known = new.ticket.and_then(|id| self.tickets.get_mut(&id).map(|ticket| (id, ticket)));
        // A ticket of another event of the organization is invalid at this gate.
        let (scan, conflict) = match known.filter(|(_, ticket)| ticket.event == new.event) {
            None => {
                let reason = new.early.filter(|reason| reason.has_no_ticket()).unwrap_or(ScanReason::Invalid);
                (stored(new, None, ScanResult::Refused(reason), None, None), None)
            }
            Some((id, ticket)) => {
                let before = ticket.before;
                let (early, window) = ticket.outside(new);
                let decision = decide_scan(&scan_inputs(new, ticket, early));
                let (result, conflict) = match decision {
                    ScanDecision::Refused(reason) => (ScanResult::Refused(reason), None),
                    ScanDecision::Admitted { entry_no, ticket: event, conflict } => {
                        self.passages.push(ticket.pass(new, id, entry_no, event)?);
                        (ScanResult::Admitted, conflict)
                    }
                };
                let used =
                    conflict == Some(ScanReason::AlreadyUsed) || result == ScanResult::Refused(ScanReason::AlreadyUsed);
                let first = before.filter(|_| used).map(|prior| FirstEntry { gate: prior.gate, at: prior.at });
                let scan = Scan {
                    window: window.filter(|_| is_outside(result, conflict)),
                    ..stored(new, Some(ticket), result, first, conflict)
                };
                (scan, conflict)
            }
        };
        self.scans.push((scan.clone(), conflict));
        Ok(scan)
    }
}

impl LockedTicket {
    fn read(row: TicketRow, before: Option<PriorEntry>) -> DbResult<Self> {
        Ok(Self {
            rule: row.rule()?,
            event: EventId::from_uuid(row.event_id),
            area: AreaId::from_uuid(row.area_id),
            label: row.label,
            ticket_type: row.ticket_type_id.map(TicketTypeId::from_uuid),
            ticket_type_name: row.ticket_type_name,
            state: TicketState::parse(&row.state)?,
            refunded: row.refunded,
            entries: u32::try_from(row.entries)?,
            inside: row.inside,
            before,
            changed: false,
        })
    }

    /// The objection against the time of the scan, with its admission window: those of the refusal that the node decided before, else of the current window
    /// of the ticket type.
    fn outside(&self, new: &NewScan) -> (Option<ScanReason>, Option<AdmissionWindow>) {
        let present = new.admissions.as_ref().map(|admissions| admissions.window(self.ticket_type));
        match new.early {
            Some(reason) => (Some(reason), new.window.or(present)),
            None => (present.and_then(|window| window.refusal_reason(&new.time())), present),
        }
    }

    /// Applies an entry or an exit.
    fn pass<'a>(
        &mut self,
        scan: &'a NewScan,
        ticket: TicketId,
        entry_no: u32,
        event: Option<TicketTransition>,
    ) -> DbResult<Passage<'a>> {
        let at = scan.time().at;
        if let Some(event) = event {
            self.state = self.state.after(event).map_err(DbError::internal)?;
        }
        self.changed = true;
        self.inside = scan.direction == Direction::Entry;
        if scan.direction == Direction::Entry {
            self.entries = entry_no;
            if self.before.is_none() || self.rule == EntryRule::Reentry {
                self.before = Some(PriorEntry { gate: scan.gate.id, at });
            }
        }
        Ok(Passage { scan, ticket, entry_no, at, admitted: event == Some(TicketTransition::Admit) })
    }
}

/// True where a scan was refused, or is in conflict, because of its time.
fn is_outside(result: ScanResult, conflict: Option<ScanReason>) -> bool {
    let reason = match result {
        ScanResult::Refused(reason) => Some(reason),
        ScanResult::Admitted => conflict,
    };
    matches!(reason, Some(ScanReason::NotYet | ScanReason::Expired))
}

fn scan_inputs<'a>(new: &'a NewScan, ticket: &LockedTicket, early: Option<ScanReason>) -> ScanInputs<'a> {
    ScanInputs {
        rule: ticket.rule,
        direction: new.direction,
        gate_areas: &new.gate.areas,
        area: ticket.area,
        ticket: ticket.state,
        refunded: ticket.refunded,
        entries: ticket.entries,
        inside: ticket.inside,
        before: ticket.before,
        early,
        forced: new.forced,
    }
}

fn stored(
    new: &NewScan,
    ticket: Option<&mut LockedTicket>,
    result: ScanResult,
    first: Option<FirstEntry>,
    conflict: Option<ScanReason>,
) -> Scan {
    let (label, ticket_type_name) =
        ticket.map(|ticket| (ticket.label.clone(), ticket.ticket_type_name.clone())).unzip();
    Scan {
        id: new.id,
        event: new.event,
        ticket: new.ticket.filter(|_| label.is_some()),
        label,
        ticket_type_name,
        gate: new.gate.id,
        device: new.device,
        direction: new.direction,
        result,
        first,
        scanned_at: new.scanned_at,
        received_at: new.received_at,
        forced: new.forced,
        conflict: conflict.is_some(),
        clock: new.time().clock,
        window: None,
    }
}
