//! Appends `ListingChanged` in the commit of a change to an event's listing, so that every cache drops the listing (P8).

use voelgoed_app::environment::Environment;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::outbox::event::{OutboxEvent, OutboxRow};
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::Cold;
use crate::db::{DbResult, Sql, Tx, binds, sql};
use crate::{idempotency, outbox};

const RAISE: Sql = sql(
    "events.raise",
    "update events set listing_version = listing_version + 1 where organization_id = $1 and id = $2 returning listing_version",
);

/// The answer of a request that changes a listing.
pub(super) type ListingChangeResult = Result<Created<()>, Refusal>;

/// Begins the transaction of a request that changes an event's listing and appends `ListingChanged`. Returns the answer instead where the request is a
/// repeat, or `not_found` where the organization has no such event.
pub(super) async fn begin(
    cold: &Cold,
    organization: OrganizationId,
    event: EventId,
    now: Timestamp,
    record: Option<&IdempotencyRecord>,
) -> DbResult<Result<Tx, ListingChangeResult>> {
    let mut tx = cold.db.begin(organization).await?;
    if let Some(answer) = idempotency::record_or_replay(&mut tx, organization, record).await? {
        return Ok(Err(answer));
    }
    if !listing_changed(&mut tx, &*cold.environment, organization, event, now).await? {
        return Ok(Err(Err(Refusal::not_found())));
    }
    Ok(Ok(tx))
}

/// Increments the listing's version and appends `ListingChanged` with it; false where the organization has no such event.
pub(super) async fn listing_changed(
    tx: &mut Tx,
    environment: &dyn Environment,
    organization: OrganizationId,
    event: EventId,
    now: Timestamp,
) -> DbResult<bool> {
    let Some((version,)) = tx.fetch_optional::<(i64,)>(RAISE, binds![organization, event]).await? else {
        return Ok(false);
    };
    append(tx, environment, organization, event, u32::try_from(version)?, now).await?;
    Ok(true)
}

/// Appends `ListingChanged` with a version that the caller has written.
pub(super) async fn append(
    tx: &mut Tx,
    environment: &dyn Environment,
    organization: OrganizationId,
    event: EventId,
    version: u32,
    now: Timestamp,
) -> DbResult<()> {
    let row = OutboxRow {
        id: environment.uuid(),
        organization,
        aggregate: event.uuid(),
        version,
        outbox_event: OutboxEvent::ListingChanged { event },
        at: now,
    };
    outbox::append(tx, &[row]).await
}
