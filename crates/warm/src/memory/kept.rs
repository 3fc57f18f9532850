//! Scans that wait for cold, beside each event's machine and under its lock (P6).
//!
//! Never: forgotten by a rebuild of the event, else a ticket that was let in would be let in again.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::StoreResult;
use voelgoed_app::scanning::ports::{FirstEntry, MOST_KEPT, NewScan, OfflineScan, OfflineScanJournal, ScanResult};
use voelgoed_app::ticketing::ports::{Answer, EventScope};
use voelgoed_domain::ids::{ScanId, TicketId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::entry::{Direction, filter_refusal, rests_on_unseen};
use voelgoed_domain::ticketing::inventory::{GateFilter, Inventory, refusals};

use super::MemoryInventory;

/// An event's scans that wait for cold.
#[derive(Default)]
pub(super) struct Kept {
    scans: BTreeMap<ScanId, OfflineScan>,
    /// Who was let in by one of these, and by which.
    entries: BTreeMap<TicketId, (ScanId, FirstEntry)>,
    /// Which acts ask cold about a ticket; what the filter knows of one needs no such note.
    asked: BTreeMap<TicketId, BTreeSet<Uuid>>,
}

impl Kept {
    fn keep(&mut self, inventory: &mut Inventory, scan: NewScan) -> Result<OfflineScan, Refusal> {
        if let Some(before) = self.scans.get(&scan.id) {
            return Ok(before.clone());
        }
        let Some(ticket) = scan.ticket else { return Err(Refusal::invalid("ticket", "A kept scan has a ticket.")) };
        if self.scans.len() >= MOST_KEPT {
            return Err(refusals::too_many_kept());
        }
        let prior = self.entries.get(&ticket).map(|(_, entry)| entry.clone());
        // A rebuild knows only what cold knows; these are not there yet.
        let filter = match inventory.gate_filter(ticket) {
            GateFilter::Unseen if prior.is_some() => GateFilter::Admitted,
            filter => filter,
        };
        let by_another = |acts: &BTreeSet<Uuid>| acts.iter().any(|act| *act != scan.id.uuid());
        if filter == GateFilter::Unseen
            && rests_on_unseen(scan.direction, scan.early, scan.forced)
            && self.asked.get(&ticket).is_some_and(by_another)
        {
            return Err(refusals::asked_elsewhere());
        }
        let refusal = filter_refusal(filter, scan.direction, scan.early, scan.forced);
        if refusal.is_none() && scan.direction == Direction::Entry {
            inventory.mark_admitted(ticket);
            let entry = FirstEntry { gate: scan.gate.id, at: scan.received_at };
            self.entries.entry(ticket).or_insert((scan.id, entry));
        }
        let result = refusal.map_or(ScanResult::Admitted, ScanResult::Refused);
        let first = prior.filter(|_| refusal.is_some() || scan.forced);
        let kept = OfflineScan { scan, result, first, told: false };
        self.scans.insert(kept.scan.id, kept.clone());
        Ok(kept)
    }

    fn settle(&mut self, inventory: &mut Inventory, scan: ScanId) {
        let Some(ticket) = self.scans.remove(&scan).and_then(|kept| kept.scan.ticket) else { return };
        self.forget_act(ticket, scan.uuid());
        if self.entries.get(&ticket).is_some_and(|(by, _)| *by == scan) {
            self.entries.remove(&ticket);
            // Also where the event was rebuilt since, from a cold that did not know of it yet.
            inventory.mark_admitted(ticket);
            self.known(&[ticket]);
        }
    }

    fn of(&self, ticket: Option<TicketId>) -> Vec<OfflineScan> {
        let wanted = |kept: &&OfflineScan| ticket.is_none() || kept.scan.ticket == ticket;
        let mut found: Vec<OfflineScan> = self.scans.values().filter(wanted).cloned().collect();
        found.sort_by_key(|kept| (kept.scan.received_at, kept.scan.id));
        found
    }

    fn forget_act(&mut self, ticket: TicketId, act: Uuid) {
        if let Some(acts) = self.asked.get_mut(&ticket) {
            acts.remove(&act);
            if acts.is_empty() {
                self.asked.remove(&ticket);
            }
        }
    }

    /// Whether nothing here would be lost with the event.
    pub(super) fn is_empty(&self) -> bool {
        self.scans.is_empty() && self.entries.is_empty() && self.asked.is_empty()
    }

    /// The filter knows these tickets from now on.
    pub(super) fn known(&mut self, tickets: &[TicketId]) {
        tickets.iter().for_each(|ticket| drop(self.asked.remove(ticket)));
    }
}

#[async_trait]
impl OfflineScanJournal for MemoryInventory {
    async fn keep(&self, scope: EventScope, scan: NewScan) -> Answer<OfflineScan> {
        self.step("keep_scan", scope, |inventory, _| self.kept.entry(scope).or_default().keep(inventory, scan))
    }

    async fn told(&self, scope: EventScope, scan: ScanId) -> Answer<()> {
        self.step("told", scope, |_, _| {
            if let Some(mut all) = self.kept.get_mut(&scope)
                && let Some(kept) = all.scans.get_mut(&scan)
            {
                kept.told = true;
            }
            Ok(())
        })
    }

    async fn announce(
        &self,
        scope: EventScope,
        act: Uuid,
        tickets: &[TicketId],
        most: usize,
    ) -> Answer<Vec<OfflineScan>> {
        self.step("announce", scope, |_, _| {
            let mut all = self.kept.entry(scope).or_default();
            for ticket in tickets {
                all.asked.entry(*ticket).or_default().insert(act);
            }
            let mut found: Vec<OfflineScan> = tickets.iter().flat_map(|ticket| all.of(Some(*ticket))).collect();
            found.truncate(most);
            Ok(found)
        })
    }

    async fn answered(&self, scope: EventScope, act: Uuid, tickets: &[TicketId], became: GateFilter) -> Answer<()> {
        self.step("answered", scope, |inventory, _| {
            let mut all = self.kept.entry(scope).or_default();
            match became {
                GateFilter::Unseen => tickets.iter().for_each(|ticket| all.forget_act(*ticket, act)),
                GateFilter::Admitted => tickets.iter().for_each(|ticket| inventory.mark_admitted(*ticket)),
                GateFilter::Revoked => inventory.mark_revoked(tickets),
            }
            if became != GateFilter::Unseen {
                all.known(tickets);
            }
            Ok(())
        })
    }

    async fn kept(&self, scope: EventScope, ticket: Option<TicketId>, most: usize) -> Answer<Vec<OfflineScan>> {
        self.step("kept_scans", scope, |_, _| {
            let mut found = self.kept.get(&scope).map(|all| all.of(ticket)).unwrap_or_default();
            found.truncate(most);
            Ok(found)
        })
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        Ok(self.kept.iter().filter(|kept| !kept.scans.is_empty()).map(|kept| *kept.key()).collect())
    }

    async fn settle(&self, scope: EventScope, scans: &[ScanId]) -> Answer<()> {
        self.step("settle_scans", scope, |inventory, _| {
            if let Some(mut all) = self.kept.get_mut(&scope) {
                scans.iter().for_each(|scan| all.settle(inventory, *scan));
            }
            Ok(())
        })
    }
}
