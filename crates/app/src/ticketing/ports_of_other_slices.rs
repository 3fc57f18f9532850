//! Implements the ports of checkout ([`HoldPins`]), payments ([`SoldPlaces`]) and scanning ([`GateTickets`]) that ticketing serves.

use async_trait::async_trait;
use voelgoed_domain::ids::{HoldId, TicketId};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::Ticketing;
use super::load_event::load_and_retry;
use super::ports::{EventScope, PlaceStore};
use crate::checkout::ports::HoldPins;
use crate::error::{CommandResult, StoreResult};
use crate::payments::ports::SoldPlaces;
use crate::scanning::ports::GateTickets;

#[async_trait]
impl HoldPins for Ticketing {
    async fn read(&self, scope: EventScope, hold: HoldId) -> CommandResult<HoldRecord> {
        load_and_retry(&*self.loader, scope, || self.inventory.read_hold(scope, hold)).await
    }

    async fn pin(&self, scope: EventScope, hold: HoldId) -> CommandResult<HoldRecord> {
        load_and_retry(&*self.loader, scope, || self.inventory.pin(scope, hold)).await
    }

    async fn unpin(&self, scope: EventScope, hold: HoldId) -> CommandResult<()> {
        load_and_retry(&*self.loader, scope, || self.inventory.unpin(scope, hold)).await
    }

    async fn replace(&self, scope: EventScope, request: HoldRequest) -> CommandResult<()> {
        load_and_retry(&*self.loader, scope, || self.inventory.change_hold(scope, request.clone())).await.map(drop)
    }

    async fn refresh_from_cold(&self, scope: EventScope, places: &[PlaceNumber]) -> CommandResult<()> {
        let effects = self.places.read_places(scope.organization, scope.event, places).await?;
        load_and_retry(&*self.loader, scope, || self.inventory.apply(scope, None, &effects)).await.map(drop)
    }
}

#[async_trait]
impl SoldPlaces for Ticketing {
    async fn hold_again(&self, scope: EventScope, request: HoldRequest) -> CommandResult<()> {
        load_and_retry(&*self.loader, scope, || self.inventory.hold(scope, request.clone())).await.map(drop)
    }

    async fn release(&self, scope: EventScope, hold: HoldId) -> CommandResult<()> {
        load_and_retry(&*self.loader, scope, || self.inventory.release(scope, hold)).await
    }

    async fn mark_revoked(&self, scope: EventScope, tickets: &[TicketId]) -> CommandResult<()> {
        load_and_retry(&*self.loader, scope, || self.inventory.mark_revoked(scope, tickets)).await
    }
}

#[async_trait]
impl<S: PlaceStore> GateTickets for S {
    async fn revoked_and_admitted(&self, scope: EventScope) -> StoreResult<(Vec<TicketId>, Vec<TicketId>)> {
        let inventory = self.read_inventory(scope.organization, scope.event).await?;
        Ok((inventory.revoked, inventory.admitted))
    }
}
