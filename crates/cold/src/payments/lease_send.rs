//! The right to call the provider for an attempt: to one sender at a time, and only before its time is over (P2).

use voelgoed_app::payments::ports::{Attempt, SendLease};
use voelgoed_domain::ids::{OrganizationId, PaymentId};
use voelgoed_domain::time::Timestamp;

use super::attempts::{self, AttemptRow};
use crate::db::{Db, Result, Sql, binds, sql};

/// Counts its holders: with a second one, what the first did is not known.
const LEASE: Sql = sql(
    "payments.lease_send",
    "update payment_attempts
     set lease_token = $3, lease_until = $4, asked_at = $5, leases = leases + case when lease_token = $3 then 0 else 1 end
     where organization_id = $1 and id = $2 and state = 'created' and send_before > $5
       and (lease_until is null or lease_until <= $5 or lease_token = $3)",
);

pub(super) async fn lease_send(
    db: &Db,
    organization: OrganizationId,
    payment: PaymentId,
    lease: SendLease,
    now: Timestamp,
) -> Result<Option<Attempt>> {
    let mut tx = db.begin(organization).await?;
    if tx.execute(LEASE, binds![organization, payment, lease.token, lease.until, now]).await? == 0 {
        tx.rollback().await?;
        return Ok(None);
    }
    let leased = attempts::read_row(&mut tx, organization, payment).await?;
    tx.commit().await?;
    leased.map(AttemptRow::attempt).transpose()
}
