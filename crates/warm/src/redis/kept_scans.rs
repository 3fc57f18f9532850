//! The port of scans that wait for cold, on Redis: beside the event's other keys, in its slot, and over a rebuild.
//!
//! Never: a rule of its own. What the filter would answer is asked of `domain` here, and the script picks.

use async_trait::async_trait;
use serde_json::to_vec;
use uuid::Uuid;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_app::scanning::ports::{FirstEntry, MOST_KEPT, NewScan, OfflineScan, OfflineScanJournal};
use voelgoed_app::ticketing::ports::{Answer, EventScope, InventoryError};
use voelgoed_domain::ids::{ScanId, TicketId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::entry::{Direction, filter_refusal, rests_on_unseen};
use voelgoed_domain::ticketing::inventory::GateFilter;

use super::active::Activity;
use super::inventory::RedisWarm;
use super::{reply, request, scripts};

#[async_trait]
impl OfflineScanJournal for RedisWarm {
    async fn keep(&self, scope: EventScope, scan: NewScan) -> Answer<OfflineScan> {
        let Some(ticket) = scan.ticket else {
            return Err(Refusal::invalid("ticket", "A kept scan has a ticket.").into());
        };
        let flag = |is: bool| request::number(u8::from(is));
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
            request::number(MOST_KEPT),
            flag(rests_on_unseen(scan.direction, scan.early, scan.forced)),
        ];
        let value = self.run(scope, &scripts::KEEP_SCAN, args).await?;
        Ok(reply::kept_scan(value)?)
    }

    async fn told(&self, scope: EventScope, scan: ScanId) -> Answer<()> {
        self.run(scope, &scripts::TOLD, vec![scan.uuid().as_bytes().to_vec()]).await.map(drop)
    }

    async fn announce(
        &self,
        scope: EventScope,
        act: Uuid,
        tickets: &[TicketId],
        most: usize,
    ) -> Answer<Vec<OfflineScan>> {
        let args = vec![act.as_bytes().to_vec(), request::tickets(tickets), request::number(most)];
        let value = self.run(scope, &scripts::ANNOUNCE, args).await?;
        Ok(reply::kept_scans(value)?)
    }

    async fn answered(&self, scope: EventScope, act: Uuid, tickets: &[TicketId], became: GateFilter) -> Answer<()> {
        let set: &[u8] = match became {
            GateFilter::Unseen => b"",
            GateFilter::Admitted => b"admitted",
            GateFilter::Revoked => b"revoked",
        };
        let args = vec![act.as_bytes().to_vec(), request::tickets(tickets), set.to_vec()];
        self.run(scope, &scripts::ANSWERED, args).await.map(drop)
    }

    async fn kept(&self, scope: EventScope, ticket: Option<TicketId>, most: usize) -> Answer<Vec<OfflineScan>> {
        let args = vec![request::tickets(ticket.as_slice()), request::number(most)];
        let answer = self.run(scope, &scripts::KEPT_SCANS, args).await;
        if ticket.is_none() && matches!(answer, Err(InventoryError::Unloaded)) {
            // Whoever loads the event lists it anew.
            self.emptied(Activity::Scans, scope);
        }
        let value = answer?;
        let (kept, unreadable) = reply::listed_scans(value)?;
        if unreadable.is_empty() {
            if kept.is_empty() && ticket.is_none() {
                self.emptied(Activity::Scans, scope);
            }
            return Ok(kept);
        }
        if ticket.is_some() {
            // Whatever is kept of this ticket must reach cold before its next scan.
            return Err(Fault::internal("a kept scan of the ticket cannot be read by this program").into());
        }
        self.run(scope, &scripts::PARK_SCANS, vec![unreadable]).await?;
        Ok(kept)
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        self.active(Activity::Scans).await
    }

    async fn settle(&self, scope: EventScope, scans: &[ScanId]) -> Answer<()> {
        let packed = scans.iter().flat_map(|scan| *scan.uuid().as_bytes()).collect();
        self.run(scope, &scripts::SETTLE_SCANS, vec![packed]).await.map(drop)
    }
}
