//! Implements the offline scan journal: stores scans that cold has not recorded yet in the event's slot; they survive a rebuild of the event.
//!
//! Never: a rule of its own. The node computes the refusal for each state of the gate filter by `domain`; the function picks one by the actual state.

use async_trait::async_trait;
use serde_json::to_vec;
use uuid::Uuid;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_app::scanning::ports::{
    FirstEntry, NewScan, OFFLINE_SCANS_PER_EVENT_MAX, OfflineScan, OfflineScanJournal,
};
use voelgoed_app::ticketing::ports::{EventScope, InventoryError, InventoryResult};
use voelgoed_domain::ids::{ScanId, TicketId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::entry::{Direction, filter_refusal, relies_on_unseen};
use voelgoed_domain::ticketing::inventory::GateFilter;

use super::RedisWarm;
use super::activity::Activity;
use super::{function_library, reply, request};

#[async_trait]
impl OfflineScanJournal for RedisWarm {
    async fn decide_and_append(&self, scope: EventScope, scan: NewScan) -> InventoryResult<OfflineScan> {
        let Some(ticket) = scan.ticket else {
            return Err(Refusal::invalid("ticket", "An offline scan needs a ticket.").into());
        };
        let flag = |value: bool| request::number(u8::from(value));
        let refusal = |filter| {
            let refusal = filter_refusal(filter, scan.direction, scan.early, scan.forced);
            refusal.map_or_else(Vec::new, |reason| reason.as_str().into())
        };
        let entry = FirstEntry { gate: scan.gate.id, at: scan.received_at };
        let args = vec![
            scan.id.uuid().as_bytes().to_vec(),
            request::tickets(&[ticket]),
            flag(scan.direction == Direction::Entry),
            flag(scan.forced),
            refusal(GateFilter::Unseen),
            refusal(GateFilter::Admitted),
            refusal(GateFilter::Revoked),
            to_vec(&scan).map_err(Fault::internal)?,
            to_vec(&entry).map_err(Fault::internal)?,
            request::number(scan.received_at.micros()),
            request::number(OFFLINE_SCANS_PER_EVENT_MAX),
            flag(relies_on_unseen(scan.direction, scan.early, scan.forced)),
        ];
        let value = self.run(scope, &function_library::APPEND_OFFLINE_SCAN, args).await?;
        Ok(reply::offline_scan(value)?)
    }

    async fn acknowledge(&self, scope: EventScope, scan: ScanId) -> InventoryResult<()> {
        self.run(scope, &function_library::ACKNOWLEDGE_SCAN, vec![scan.uuid().as_bytes().to_vec()]).await.map(drop)
    }

    async fn begin_intent(
        &self,
        scope: EventScope,
        intent: Uuid,
        tickets: &[TicketId],
        scans_max: usize,
    ) -> InventoryResult<Vec<OfflineScan>> {
        let args = vec![intent.as_bytes().to_vec(), request::tickets(tickets), request::number(scans_max)];
        let value = self.run(scope, &function_library::BEGIN_INTENT, args).await?;
        Ok(reply::offline_scans(value)?)
    }

    async fn resolve_intent(
        &self,
        scope: EventScope,
        intent: Uuid,
        tickets: &[TicketId],
        resolved_as: GateFilter,
    ) -> InventoryResult<()> {
        let set: &[u8] = match resolved_as {
            GateFilter::Unseen => b"",
            GateFilter::Admitted => b"admitted",
            GateFilter::Revoked => b"revoked",
        };
        let args = vec![intent.as_bytes().to_vec(), request::tickets(tickets), set.to_vec()];
        self.run(scope, &function_library::RESOLVE_INTENT, args).await.map(drop)
    }

    async fn pending(
        &self,
        scope: EventScope,
        ticket: Option<TicketId>,
        after: Option<ScanId>,
        scans_max: usize,
    ) -> InventoryResult<Vec<OfflineScan>> {
        let after_id = after.map_or_else(Vec::new, |scan| scan.uuid().as_bytes().to_vec());
        let args = vec![request::tickets(ticket.as_slice()), request::number(scans_max), after_id];
        let result = self.run(scope, &function_library::PENDING_OFFLINE_SCANS, args).await;
        if ticket.is_none() && matches!(result, Err(InventoryError::Unloaded)) {
            // An installation lists the event again.
            self.mark_done(Activity::Scans, scope);
        }
        let value = result?;
        let (pending, unreadable) = reply::pending_scans(value)?;
        if unreadable.is_empty() {
            if pending.is_empty() && ticket.is_none() && after.is_none() {
                self.mark_done(Activity::Scans, scope);
            }
            return Ok(pending);
        }
        if ticket.is_some() {
            // Every pending scan of the ticket must reach cold before its next scan.
            return Err(Fault::internal(
                "a pending scan of the ticket has a format that this program version cannot read",
            )
            .into());
        }
        self.run(scope, &function_library::DEFER_UNREADABLE_SCANS, vec![unreadable]).await?;
        Ok(pending)
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        self.active(Activity::Scans).await
    }

    async fn remove_recorded(&self, scope: EventScope, scans: &[ScanId]) -> InventoryResult<()> {
        let packed = scans.iter().flat_map(|scan| *scan.uuid().as_bytes()).collect();
        self.run(scope, &function_library::REMOVE_RECORDED_SCANS, vec![packed]).await.map(drop)
    }
}
