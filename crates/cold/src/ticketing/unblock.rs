//! Frees blocked places; other places stay as they are.

use uuid::Uuid;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::places::effect;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{DbResult, Sql, binds, row, sql};
use crate::outbox::OutboxBatch;

const UNBLOCK: Sql = sql(
    "ticketing.unblock_places",
    "update places set state = 'free', owner_id = null, version = places.version + 1
     from (values {rows:1 $1}) as v
     where places.organization_id = v.column2 and places.event_id = $2 and places.place = v.column1 and places.state = 'blocked'
     returning place, state, owner_id, version",
);

pub(super) async fn unblock(
    cold: &Cold,
    organization: OrganizationId,
    event: EventId,
    places: &[PlaceNumber],
) -> DbResult<Vec<PlaceNumber>> {
    let mut wanted = places.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let mut tx = cold.sale.begin(organization).await?;
    let rows: Vec<(i64, String, Option<Uuid>, i64)> = tx
        .fetch_rows(UNBLOCK, binds![organization, event], wanted.into_iter().map(|place| row![place]).collect())
        .await?;
    if rows.is_empty() {
        tx.rollback().await?;
        return Ok(Vec::new());
    }
    let mut effects = rows
        .into_iter()
        .map(|(place, state, owner, version)| effect(place, &state, owner, version))
        .collect::<DbResult<Vec<_>>>()?;
    effects.sort_unstable_by_key(|effect| effect.place);
    let freed = effects.iter().map(|effect| effect.place).collect();
    let mut events = OutboxBatch::new(&*cold.environment, organization, cold.environment.now());
    // A new aggregate is enough: the version of each place orders its effects.
    events.add(cold.environment.uuid(), 1, OutboxEvent::PlacesChanged { event, claimed_by: None, effects });
    events.write(&mut tx).await?;
    commit_act(tx, organization).await?;
    Ok(freed)
}
