//! The right to call the provider for an attempt: to one sender at a time, and only before its time is over (P2). Many share one flush.

use async_trait::async_trait;
use voelgoed_app::error::{Dependency, Fault, Stored};
use voelgoed_app::payments::ports::{Attempt, SendLease};
use voelgoed_domain::ids::{OrganizationId, PaymentId};
use voelgoed_domain::time::Timestamp;

use voelgoed_planted::Bug;

use super::attempts::{self, AttemptRow};
use crate::Cold;
use crate::committer::{Applied, Commit, Unanswered, Verdict};
use crate::db::{Db, Result, Sql, Tx, binds, sql};

/// Counts its holders: with a second one, what the first did is not known.
const LEASE: Sql = sql(
    "payments.lease_send",
    "update payment_attempts
     set lease_token = $3, lease_until = $4, asked_at = $5, leases = leases + case when lease_token = $3 then 0 else 1 end
     where organization_id = $1 and id = $2 and state = 'created' and send_before > $5
       and (lease_until is null or lease_until <= $5 or lease_token = $3)",
);

pub(super) async fn lease_send(
    cold: &Cold,
    organization: OrganizationId,
    payment: PaymentId,
    lease: SendLease,
    now: Timestamp,
) -> Stored<Option<Attempt>> {
    match cold.send_leases.submit(organization, Asked { payment, lease, now }).await {
        Ok(leased) => Ok(leased.map(AttemptRow::attempt).transpose()?),
        Err(Unanswered::Overloaded) => Err(Fault::away(Dependency::Cold, "more is to be sent than can be written")),
        Err(Unanswered::Failed(error)) => Err(error.into()),
    }
}

/// Who wants to send what.
pub(crate) struct Asked {
    payment: PaymentId,
    lease: SendLease,
    now: Timestamp,
}

/// The committed command.
pub(crate) struct SendLeases;

#[async_trait]
impl Commit for SendLeases {
    const NAME: &'static str = "send_leases";
    type Command = Asked;
    type Answer = Option<AttemptRow>;

    fn rows(_asked: &Asked) -> usize {
        1
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        asked: &[&Asked],
    ) -> Result<Applied<Option<AttemptRow>>> {
        let mut verdicts = Vec::with_capacity(asked.len());
        let mut wrote = false;
        for Asked { payment, lease, now } in asked {
            let leased = tx
                .execute(
                    LEASE.planted(Bug::TwoSenders, "lease_until is null", "$5 = $5"),
                    binds![organization, *payment, lease.token, lease.until, *now],
                )
                .await?
                > 0;
            wrote |= leased;
            let row = if leased { attempts::read_row(tx, organization, *payment).await? } else { None };
            verdicts.push(Verdict::Answer(row));
        }
        Ok(Applied { verdicts, wrote })
    }

    async fn look_up(&self, _: &Db, _: OrganizationId, asked: &[&Asked]) -> Result<Vec<Option<Option<AttemptRow>>>> {
        // The same token leases again what it has leased, so asking again is the look-up.
        Ok(asked.iter().map(|_| None).collect())
    }
}
