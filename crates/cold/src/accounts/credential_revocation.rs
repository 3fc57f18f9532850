//! Appends an outbox event for a revoked credential in the commit that revokes it, so that every node drops it from its cache (P8).

use uuid::Uuid;
use voelgoed_app::accounts::credentials::RevokedCredential;
use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::time::Timestamp;

use crate::db::{DbResult, Tx};
use crate::outbox::OutboxBatch;

/// A revoked credential is an aggregate with one event.
const VERSION: u32 = 1;

/// Appends the outbox event of a revocation.
pub(crate) async fn append_event(
    tx: &mut Tx,
    environment: &dyn Environment,
    organization: OrganizationId,
    revoked: RevokedCredential,
    now: Timestamp,
) -> DbResult<()> {
    let aggregate: Uuid = match &revoked {
        RevokedCredential::ApiKey(id) => id.uuid(),
        RevokedCredential::Device(id) => id.uuid(),
    };
    let mut events = OutboxBatch::new(environment, organization, now);
    events.add(aggregate, VERSION, OutboxEvent::CredentialRevoked { revoked });
    events.write(tx).await
}
