//! Says in the caller's commit that an event's listing changed, so that every cache drops it (P8).

use voelgoed_app::environment::Environment;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::outbox::event::{OutboxEvent, OutboxRow};
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::Cold;
use crate::db::{Result, Sql, Tx, binds, sql};
use crate::{idempotency, outbox};

const RAISE: Sql = sql(
    "events.raise",
    "update events set listing_version = listing_version + 1 where organization_id = $1 and id = $2 returning listing_version",
);

/// What a request that changes a listing is answered.
pub(super) type Answer = std::result::Result<Created<()>, Refusal>;

/// Opens the commit of a request that changes an event's listing, and says so in it; or what the request is answered without one: its repetition, or
/// `not_found` where the organization has no such event.
pub(super) async fn begin(
    cold: &Cold,
    organization: OrganizationId,
    event: EventId,
    now: Timestamp,
    record: Option<&IdempotencyRecord>,
) -> Result<std::result::Result<Tx, Answer>> {
    let mut tx = cold.db.begin(organization).await?;
    if let Some(answer) = idempotency::note(&mut tx, organization, record).await? {
        return Ok(Err(answer));
    }
    if !listing_changed(&mut tx, &*cold.environment, organization, event, now).await? {
        return Ok(Err(Err(Refusal::not_found())));
    }
    Ok(Ok(tx))
}

/// Raises the listing's version and appends `ListingChanged` under it; false where the organization has no such event.
pub(super) async fn listing_changed(
    tx: &mut Tx,
    environment: &dyn Environment,
    organization: OrganizationId,
    event: EventId,
    now: Timestamp,
) -> Result<bool> {
    let Some((version,)) = tx.fetch_optional::<(i64,)>(RAISE, binds![organization, event]).await? else {
        return Ok(false);
    };
    append(tx, environment, organization, event, u32::try_from(version)?, now).await?;
    Ok(true)
}

/// Appends `ListingChanged` under a version that the caller has written.
pub(super) async fn append(
    tx: &mut Tx,
    environment: &dyn Environment,
    organization: OrganizationId,
    event: EventId,
    version: u32,
    now: Timestamp,
) -> Result<()> {
    let row = OutboxRow {
        id: environment.uuid(),
        organization,
        aggregate: event.uuid(),
        version,
        fact: OutboxEvent::ListingChanged { event },
        at: now,
    };
    outbox::append(tx, &[row]).await
}
