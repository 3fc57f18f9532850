//! Deletes a draft event with its ticket types, gates and devices; a draft has never sold a ticket.

use uuid::Uuid;
use voelgoed_app::accounts::credentials::RevokedCredential;
use voelgoed_domain::catalog::event::EventState;
use voelgoed_domain::ids::{DeviceId, EventId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use super::listing_change::listing_changed;
use super::transition_event::state_of;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::accounts::credential_revocation;
use crate::db::{DbResult, Sql, binds, sql};

const DEVICES: Sql =
    sql("devices.of_deleted", "delete from devices where organization_id = $1 and event_id = $2 returning id");
/// The event is last, because the other rows refer to it.
const DELETIONS: &[Sql] = &[
    sql("blocks.delete", "delete from blocks where organization_id = $1 and event_id = $2"),
    sql("places.delete", "delete from places where organization_id = $1 and event_id = $2"),
    sql("epochs.delete", "delete from epochs where organization_id = $1 and event_id = $2"),
    sql("price_rules.delete", "delete from price_rules where organization_id = $1 and event_id = $2"),
    sql("ticket_types.delete", "delete from ticket_types where organization_id = $1 and event_id = $2"),
    sql("gates.delete", "delete from gates where organization_id = $1 and event_id = $2"),
    sql("events.delete", "delete from events where organization_id = $1 and id = $2"),
];

pub(super) async fn delete(
    cold: &Cold,
    organization: OrganizationId,
    event: EventId,
    now: Timestamp,
) -> DbResult<Result<(), Refusal>> {
    let mut tx = cold.db.begin(organization).await?;
    let Some(state) = state_of(&mut tx, organization, event).await? else {
        return Ok(Err(Refusal::not_found()));
    };
    if state != EventState::Draft {
        let detail = format!("The event is `{state}`; only a draft can be deleted.");
        return Ok(Err(Refusal::new(Code::WrongState, detail)));
    }
    // Caches drop the listing and then find no event.
    listing_changed(&mut tx, &*cold.environment, organization, event, now).await?;
    for (device,) in tx.fetch_all::<(Uuid,)>(DEVICES, binds![organization, event]).await? {
        let credential = RevokedCredential::Device(DeviceId::from_uuid(device));
        credential_revocation::append_event(&mut tx, &*cold.environment, organization, credential, now).await?;
    }
    for statement in DELETIONS {
        tx.execute(*statement, binds![organization, event]).await?;
    }
    commit_act(tx, organization).await?;
    Ok(Ok(()))
}
