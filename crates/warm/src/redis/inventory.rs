//! Implements the inventory port: each method packs its arguments, runs its function on the server of the event, and reads the reply.

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use tokio::sync::broadcast;
use uuid::Uuid;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_app::ticketing::ports::{
    EventScope, InventoryError, InventoryResult, InventorySignal, InventoryStore, RebuildLease,
};
use voelgoed_domain::ids::{HoldId, OrderId, SessionId, TicketId};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
use voelgoed_domain::ticketing::inventory::{CatchUp, GateFilter, Install, InventorySnapshot};
use voelgoed_domain::ticketing::place::{PlaceEffect, Position};
use voelgoed_telemetry::metrics::warm::warm_rebuilt;

use super::RedisWarm;
use super::activity::Activity;
use super::discovery::EVENTS_CONCURRENT_MAX;
use super::reply::{self, RequestLimits};
use super::{function_library, request};

#[async_trait]
impl InventoryStore for RedisWarm {
    async fn lease_rebuild(&self, scope: EventScope, lease: Uuid, lasts: Duration) -> StoreResult<RebuildLease> {
        let args = vec![lease.simple().to_string().into_bytes(), request::number(lasts.as_millis())];
        match self.run(scope, &function_library::LEASE_REBUILD, args).await {
            Ok(value) => Ok(match reply::number(&value)? {
                0 => RebuildLease::Granted,
                millis => RebuildLease::Taken { free_in: Duration::from_millis(millis) },
            }),
            Err(InventoryError::Fault(fault)) => Err(fault),
            Err(other) => Err(Fault::internal(other)),
        }
    }

    async fn install(&self, scope: EventScope, lease: Uuid, install: Install) -> InventoryResult<Position> {
        let mut args = vec![lease.simple().to_string().into_bytes()];
        args.extend(request::install(&install)?);
        let (position, _) = self.run_limited(scope, &function_library::INSTALL, args, RequestLimits::default()).await?;
        warm_rebuilt();
        Ok(position)
    }

    async fn hold(&self, scope: EventScope, request: HoldRequest) -> InventoryResult<HoldRecord> {
        let args = request::request(&request);
        let (_, value) = self.run_limited(scope, &function_library::HOLD, args, (&request).into()).await?;
        Ok(reply::hold(request.hold, value)?)
    }

    async fn change_hold(&self, scope: EventScope, request: HoldRequest) -> InventoryResult<HoldRecord> {
        let args = request::request(&request);
        let (_, value) = self.run_limited(scope, &function_library::CHANGE_HOLD, args, (&request).into()).await?;
        Ok(reply::hold(request.hold, value)?)
    }

    async fn read_hold(&self, scope: EventScope, hold: HoldId) -> InventoryResult<HoldRecord> {
        let value = self.run(scope, &function_library::READ_HOLD, request::hold(hold).to_vec()).await?;
        Ok(reply::hold(hold, value)?)
    }

    async fn release(&self, scope: EventScope, hold: HoldId) -> InventoryResult<()> {
        self.run(scope, &function_library::RELEASE, request::hold(hold).to_vec()).await.map(drop)
    }

    async fn pin(&self, scope: EventScope, hold: HoldId) -> InventoryResult<HoldRecord> {
        let value = self.run(scope, &function_library::PIN, request::hold(hold).to_vec()).await?;
        Ok(reply::hold(hold, value)?)
    }

    async fn unpin(&self, scope: EventScope, hold: HoldId) -> InventoryResult<()> {
        self.run(scope, &function_library::UNPIN, request::hold(hold).to_vec()).await.map(drop)
    }

    async fn apply(
        &self,
        scope: EventScope,
        claimed_by: Option<(HoldId, OrderId)>,
        effects: &[PlaceEffect],
    ) -> InventoryResult<Position> {
        let bytes = |id: Uuid| id.as_bytes().to_vec();
        let (hold, order) =
            claimed_by.map_or_else(Default::default, |(hold, order)| (bytes(hold.uuid()), bytes(order.uuid())));
        let args = vec![hold, order, request::effects(effects)];
        self.run_limited(scope, &function_library::APPLY, args, RequestLimits::default())
            .await
            .map(|(position, _)| position)
    }

    async fn snapshot(&self, scope: EventScope) -> InventoryResult<InventorySnapshot> {
        self.follow(scope).await;
        let (position, value) =
            self.run_limited(scope, &function_library::SNAPSHOT, vec![], RequestLimits::default()).await?;
        Ok(reply::snapshot(position, value)?)
    }

    async fn changes_since(&self, scope: EventScope, since: Position) -> InventoryResult<CatchUp> {
        self.follow(scope).await;
        let args = vec![request::number(since.epoch.0), request::number(since.seq)];
        let (position, value) =
            self.run_limited(scope, &function_library::CHANGES_SINCE, args, RequestLimits::default()).await?;
        Ok(reply::catch_up(position, value)?)
    }

    fn subscribe(&self) -> broadcast::Receiver<InventorySignal> {
        self.signals.subscribe()
    }

    async fn free_expired_holds(&self, holds_max: usize) -> StoreResult<usize> {
        self.discover().await?;
        let events = self.active(Activity::Holds).await?;
        let holds_max = request::number(holds_max.min(u32::MAX as usize));
        let steps = stream::iter(events).map(|scope| {
            let holds_max = holds_max.clone();
            async move { (scope, self.run(scope, &function_library::FREE_EXPIRED_HOLDS, vec![holds_max]).await) }
        });
        let mut steps = steps.buffer_unordered(EVENTS_CONCURRENT_MAX);
        let (mut freed, mut fault) = (0, None);
        while let Some((scope, answer)) = steps.next().await {
            match answer {
                Ok(value) => {
                    let left = reply::remaining_work(value)?;
                    freed += usize::try_from(left.freed).unwrap_or(usize::MAX);
                    if left.holds == 0 {
                        self.mark_done(Activity::Holds, scope);
                    }
                }
                // Nothing to free: a request that needs the event rebuilds and lists it.
                Err(InventoryError::Unloaded | InventoryError::Refused(_)) => self.mark_done(Activity::Holds, scope),
                Err(InventoryError::Fault(other)) => fault = Some(other),
            }
        }
        fault.map_or(Ok(freed), Err)
    }

    async fn gate_filter(&self, scope: EventScope, ticket: TicketId) -> InventoryResult<GateFilter> {
        let value = self.run(scope, &function_library::GATE_FILTER, vec![request::tickets(&[ticket])]).await?;
        Ok(match reply::number(&value)? {
            0 => GateFilter::Unseen,
            1 => GateFilter::Admitted,
            _ => GateFilter::Revoked,
        })
    }

    async fn mark_admitted(&self, scope: EventScope, ticket: TicketId) -> InventoryResult<()> {
        let args = vec![b"admitted".to_vec(), request::tickets(&[ticket])];
        self.run(scope, &function_library::MARK_ADMITTED, args).await.map(drop)
    }

    async fn mark_revoked(&self, scope: EventScope, tickets: &[TicketId]) -> InventoryResult<()> {
        let args = vec![b"revoked".to_vec(), request::tickets(tickets)];
        self.run(scope, &function_library::MARK_REVOKED, args).await.map(drop)
    }

    async fn loaded_events(&self) -> StoreResult<Vec<EventScope>> {
        self.scan().await
    }

    async fn held_by(&self, scope: EventScope, session: SessionId) -> InventoryResult<u32> {
        let value = self.run(scope, &function_library::HELD_BY, vec![session.uuid().as_bytes().to_vec()]).await?;
        Ok(u32::try_from(reply::number(&value)?).unwrap_or(u32::MAX))
    }

    async fn note_hold(&self, session: SessionId, scope: EventScope, hold: HoldId) -> StoreResult<()> {
        self.add_session_hold(session, scope, hold).await
    }

    async fn noted_holds(&self, session: SessionId) -> StoreResult<Vec<(EventScope, HoldId)>> {
        self.read_session_holds(session).await
    }
}
