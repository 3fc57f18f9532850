//! Implements the place store, whose rows decide every sale (P1).
//!
//! A place changes only by a transition that `domain::ticketing::place` allows. Each transition adds 1 to `version` and writes its outbox row (P8). To add a
//! transition: its statement in `places.rs`, conditional on the state before.

mod block;
mod epoch;
mod inventory;
pub(crate) mod places;
mod unblock;

use async_trait::async_trait;
use voelgoed_app::error::StoreResult;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::ticketing::ports::{Block, ColdInventory, PlaceStore};
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::place::{Epoch, PlaceEffect};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use crate::Cold;

#[async_trait]
impl PlaceStore for Cold {
    async fn raise_epoch(&self, organization: OrganizationId, event: EventId) -> StoreResult<Epoch> {
        Ok(epoch::raise(&self.sale, organization, event).await?)
    }

    async fn read_inventory(&self, organization: OrganizationId, event: EventId) -> StoreResult<ColdInventory> {
        Ok(inventory::read(&self.sale, organization, event).await?)
    }

    async fn block(
        &self,
        organization: OrganizationId,
        event: EventId,
        block: Block,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        Ok(block::block(self, organization, event, block, idempotency.as_ref()).await?)
    }

    async fn unblock(
        &self,
        organization: OrganizationId,
        event: EventId,
        places: &[PlaceNumber],
    ) -> StoreResult<Vec<PlaceNumber>> {
        Ok(unblock::unblock(self, organization, event, places).await?)
    }

    async fn read_places(
        &self,
        organization: OrganizationId,
        event: EventId,
        places: &[PlaceNumber],
    ) -> StoreResult<Vec<PlaceEffect>> {
        Ok(inventory::read_some(&self.sale, organization, event, places).await?)
    }
}
