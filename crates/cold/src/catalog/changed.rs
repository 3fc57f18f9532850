//! Says in the caller's commit that an event's listing changed, so that every cache drops it (P8).

use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::fact::{Fact, OutboxRow};
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::db::{Result, Sql, Tx, binds, sql};
use crate::outbox;

const RAISE: Sql = sql(
    "events.raise",
    "update events set listing_version = listing_version + 1 where organization_id = $1 and id = $2 returning listing_version",
);

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
        fact: Fact::ListingChanged { event },
        at: now,
    };
    outbox::append(tx, &[row]).await
}
