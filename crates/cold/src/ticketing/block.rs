//! Blocks free places for the organizer, all or nothing.

use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::ticketing::ports::Block;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::place::PlaceState;

use super::places::{self, OwnedPlace};
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{DbResult, Sql, binds, sql};
use crate::idempotency;
use crate::outbox::OutboxBatch;

const INSERT: Sql =
    sql("ticketing.insert_block", "insert into blocks (organization_id, event_id, id, reason) values ($1, $2, $3, $4)");

pub(super) async fn block(
    cold: &Cold,
    organization: OrganizationId,
    event: EventId,
    mut block: Block,
    record: Option<&IdempotencyRecord>,
) -> DbResult<Result<Created<()>, Refusal>> {
    block.places.sort_unstable();
    block.places.dedup();
    let mut tx = cold.sale.begin(organization).await?;
    if let Some(answer) = idempotency::record_or_replay(&mut tx, organization, record).await? {
        return Ok(answer);
    }
    let wanted: Vec<_> = block
        .places
        .iter()
        .map(|place| (OwnedPlace { event, place: *place, owner: block.id }, PlaceState::Blocked))
        .collect();
    let count = wanted.len();
    let moved = places::take_free(&mut tx, organization, wanted).await?;
    if moved.len() < count {
        let taken = |place| !moved.iter().any(|moved| moved.effect.place == place);
        let places = block.places.into_iter().filter(|place| taken(*place)).collect();
        tx.rollback().await?;
        return Ok(Err(Refusal::place_taken(places)));
    }
    tx.execute(INSERT, binds![organization, event, block.id, block.reason]).await?;
    let effects = moved.into_iter().map(|moved| moved.effect).collect();
    let mut events = OutboxBatch::new(&*cold.environment, organization, cold.environment.now());
    events.add(block.id, 1, OutboxEvent::PlacesChanged { event, claimed_by: None, effects });
    events.write(&mut tx).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(Created::Fresh(())))
}
