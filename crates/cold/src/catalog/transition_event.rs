//! Moves an event from one of the expected states to another; the caller names the states by the domain's rule.

use voelgoed_domain::catalog::event::EventState;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use super::listing_change::listing_changed;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{DbResult, Sql, Tx, binds, sql};

const STATE: Sql = sql("events.state", "select state from events where organization_id = $1 and id = $2 {for_update}");
const MOVE: Sql = sql("events.move", "update events set state = $3 where organization_id = $1 and id = $2");

pub(super) async fn transition_event(
    cold: &Cold,
    organization: OrganizationId,
    event: EventId,
    from: &[EventState],
    to: EventState,
    now: Timestamp,
) -> DbResult<Result<(), Refusal>> {
    let mut tx = cold.db.begin(organization).await?;
    let Some(state) = state_of(&mut tx, organization, event).await? else {
        return Ok(Err(Refusal::not_found()));
    };
    if !from.contains(&state) {
        return Ok(Err(Refusal::new(
            Code::WrongState,
            format!("The event is `{state}`, which does not lead to `{to}`."),
        )));
    }
    tx.execute(MOVE, binds![organization, event, to.as_str()]).await?;
    listing_changed(&mut tx, &*cold.environment, organization, event, now).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(()))
}

/// Locks an event until the caller's commit and returns its state; none where the organization has no such event.
pub(super) async fn state_of(
    tx: &mut Tx,
    organization: OrganizationId,
    event: EventId,
) -> DbResult<Option<EventState>> {
    let found = tx.fetch_optional::<(String,)>(STATE, binds![organization, event]).await?;
    Ok(found.map(|(state,)| EventState::parse(&state)).transpose()?)
}
