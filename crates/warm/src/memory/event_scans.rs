//! Decides and stores the offline scans of one event in memory, as the Redis scripts do.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use voelgoed_app::scanning::ports::{FirstEntry, NewScan, OFFLINE_SCANS_PER_EVENT_MAX, OfflineScan, ScanResult};
use voelgoed_domain::ids::{ScanId, TicketId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::entry::{Direction, filter_refusal, relies_on_unseen};
use voelgoed_domain::ticketing::inventory::{GateFilter, Inventory, refusals};

/// The offline scans and scan intents of one event.
#[derive(Default)]
pub(super) struct EventScans {
    pub(super) scans: BTreeMap<ScanId, OfflineScan>,
    /// The first admission of each ticket among the scans.
    entries: BTreeMap<TicketId, (ScanId, FirstEntry)>,
    /// The requests that are asking cold about a ticket; a ticket that the gate filter knows has none.
    pub(super) intents: BTreeMap<TicketId, BTreeSet<Uuid>>,
}

impl EventScans {
    /// Decides a scan by the gate filter and stores it; the same id returns the same result.
    pub(super) fn decide_and_append(
        &mut self,
        inventory: &mut Inventory,
        scan: NewScan,
    ) -> Result<OfflineScan, Refusal> {
        if let Some(before) = self.scans.get(&scan.id) {
            return Ok(before.clone());
        }
        let Some(ticket) = scan.ticket else {
            return Err(Refusal::invalid("ticket", "An offline scan needs a ticket."));
        };
        if self.scans.len() >= OFFLINE_SCANS_PER_EVENT_MAX {
            return Err(refusals::offline_scans_full());
        }
        let prior = self.entries.get(&ticket).map(|(_, entry)| entry.clone());
        // A rebuild contains only what cold has recorded, not these scans.
        let filter = match inventory.gate_filter(ticket) {
            GateFilter::Unseen if prior.is_some() => GateFilter::Admitted,
            filter => filter,
        };
        let has_other = |intents: &BTreeSet<Uuid>| intents.iter().any(|intent| *intent != scan.id.uuid());
        if filter == GateFilter::Unseen
            && relies_on_unseen(scan.direction, scan.early, scan.forced)
            && self.intents.get(&ticket).is_some_and(has_other)
        {
            return Err(refusals::scan_intent_pending());
        }
        let refusal = filter_refusal(filter, scan.direction, scan.early, scan.forced);
        if refusal.is_none() && scan.direction == Direction::Entry {
            inventory.mark_admitted(ticket);
            let entry = FirstEntry { gate: scan.gate.id, at: scan.received_at };
            self.entries.entry(ticket).or_insert((scan.id, entry));
        }
        let result = refusal.map_or(ScanResult::Admitted, ScanResult::Refused);
        let first = prior.filter(|_| refusal.is_some() || scan.forced);
        let offline = OfflineScan { scan, result, first, acknowledged: false };
        self.scans.insert(offline.scan.id, offline.clone());
        Ok(offline)
    }

    /// Removes a scan that cold has recorded; its ticket stays admitted.
    pub(super) fn remove_recorded(&mut self, inventory: &mut Inventory, scan: ScanId) {
        let Some(ticket) = self.scans.remove(&scan).and_then(|offline| offline.scan.ticket) else { return };
        self.end_intent(ticket, scan.uuid());
        if self.entries.get(&ticket).is_some_and(|(by, _)| *by == scan) {
            self.entries.remove(&ticket);
            // A rebuild from a cold that had not recorded the scan does not contain the admission.
            inventory.mark_admitted(ticket);
            self.end_intents(&[ticket]);
        }
    }

    /// The scans of a ticket, or of all, oldest first.
    pub(super) fn of(&self, ticket: Option<TicketId>) -> Vec<OfflineScan> {
        let matches = |offline: &&OfflineScan| ticket.is_none() || offline.scan.ticket == ticket;
        let mut found: Vec<OfflineScan> = self.scans.values().filter(matches).cloned().collect();
        found.sort_by_key(|offline| (offline.scan.received_at, offline.scan.id));
        found
    }

    pub(super) fn end_intent(&mut self, ticket: TicketId, intent: Uuid) {
        if let Some(intents) = self.intents.get_mut(&ticket) {
            intents.remove(&intent);
            if intents.is_empty() {
                self.intents.remove(&ticket);
            }
        }
    }

    /// Whether unloading the event would lose nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.scans.is_empty() && self.entries.is_empty() && self.intents.is_empty()
    }

    /// Ends the intents of tickets that the gate filter knows now.
    pub(super) fn end_intents(&mut self, tickets: &[TicketId]) {
        tickets.iter().for_each(|ticket| drop(self.intents.remove(ticket)));
    }
}
