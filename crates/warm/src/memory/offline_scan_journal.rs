//! Implements the offline scan journal in memory, under the lock of each event (P6).
//!
//! Never: scans removed by a rebuild of the event, because an admitted ticket would be admitted again.

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::StoreResult;
use voelgoed_app::scanning::ports::{NewScan, OfflineScan, OfflineScanJournal};
use voelgoed_app::ticketing::ports::{EventScope, InventoryResult};
use voelgoed_domain::ids::{ScanId, TicketId};
use voelgoed_domain::ticketing::inventory::GateFilter;

use super::MemoryInventory;

#[async_trait]
impl OfflineScanJournal for MemoryInventory {
    async fn decide_and_append(&self, scope: EventScope, scan: NewScan) -> InventoryResult<OfflineScan> {
        self.step("keep_scan", scope, |inventory, _| {
            self.scans.entry(scope).or_default().decide_and_append(inventory, scan)
        })
    }

    async fn acknowledge(&self, scope: EventScope, scan: ScanId) -> InventoryResult<()> {
        self.step("told", scope, |_, _| {
            if let Some(mut event) = self.scans.get_mut(&scope)
                && let Some(offline) = event.scans.get_mut(&scan)
            {
                offline.acknowledged = true;
            }
            Ok(())
        })
    }

    async fn begin_intent(
        &self,
        scope: EventScope,
        intent: Uuid,
        tickets: &[TicketId],
        scans_max: usize,
    ) -> InventoryResult<Vec<OfflineScan>> {
        self.step("announce", scope, |_, _| {
            let mut event = self.scans.entry(scope).or_default();
            for ticket in tickets {
                event.intents.entry(*ticket).or_default().insert(intent);
            }
            let mut found: Vec<OfflineScan> = tickets.iter().flat_map(|ticket| event.of(Some(*ticket))).collect();
            found.truncate(scans_max);
            Ok(found)
        })
    }

    async fn resolve_intent(
        &self,
        scope: EventScope,
        intent: Uuid,
        tickets: &[TicketId],
        resolved_as: GateFilter,
    ) -> InventoryResult<()> {
        self.step("answered", scope, |inventory, _| {
            let mut event = self.scans.entry(scope).or_default();
            match resolved_as {
                GateFilter::Unseen => tickets.iter().for_each(|ticket| event.end_intent(*ticket, intent)),
                GateFilter::Admitted => tickets.iter().for_each(|ticket| inventory.mark_admitted(*ticket)),
                GateFilter::Revoked => inventory.mark_revoked(tickets),
            }
            if resolved_as != GateFilter::Unseen {
                event.end_intents(tickets);
            }
            Ok(())
        })
    }

    async fn pending(
        &self,
        scope: EventScope,
        ticket: Option<TicketId>,
        after: Option<ScanId>,
        scans_max: usize,
    ) -> InventoryResult<Vec<OfflineScan>> {
        self.step("kept_scans", scope, |_, _| {
            let found = self.scans.get(&scope).map(|event| event.of(ticket)).unwrap_or_default();
            let cursor = found.iter().position(|offline| Some(offline.scan.id) == after);
            Ok(found.into_iter().skip(cursor.map_or(0, |at| at + 1)).take(scans_max).collect())
        })
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        Ok(self.scans.iter().filter(|event| !event.scans.is_empty()).map(|event| *event.key()).collect())
    }

    async fn remove_recorded(&self, scope: EventScope, scans: &[ScanId]) -> InventoryResult<()> {
        self.step("settle_scans", scope, |inventory, _| {
            if let Some(mut event) = self.scans.get_mut(&scope) {
                scans.iter().for_each(|scan| event.remove_recorded(inventory, *scan));
            }
            Ok(())
        })
    }
}
