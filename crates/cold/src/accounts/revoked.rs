//! Tells every node that a credential was revoked, in the commit that revokes it (P8).

use uuid::Uuid;
use voelgoed_app::accounts::credentials::RevokedCredential;
use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::time::Timestamp;

use crate::db::{Result, Tx};
use crate::facts::Facts;

/// An aggregate of its own: nothing else happens to a credential that was revoked.
const VERSION: u32 = 1;

/// Appends the outbox row of a revocation.
pub(crate) async fn tell(
    tx: &mut Tx,
    environment: &dyn Environment,
    organization: OrganizationId,
    revoked: RevokedCredential,
    now: Timestamp,
) -> Result<()> {
    let aggregate: Uuid = match &revoked {
        RevokedCredential::ApiKey(id) => id.uuid(),
        RevokedCredential::Device(id) => id.uuid(),
    };
    let mut facts = Facts::new(environment, organization, now);
    facts.add(aggregate, VERSION, OutboxEvent::CredentialRevoked { revoked });
    facts.write(tx).await
}
