//! The right to call the provider for an attempt: to one sender at a time, and only before its time is over (P2). Many share one flush.

use std::collections::BTreeMap;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::payments::ports::{Attempt, SendLease};
use voelgoed_domain::ids::{OrganizationId, PaymentId};
use voelgoed_domain::time::Timestamp;

use voelgoed_planted::Bug;

use super::attempts::{self, AttemptRow};
use crate::Cold;
use crate::committer::{Applied, Commit, Unanswered, Verdict};
use crate::db::{Db, Result, Sql, Tx, binds, row, sql};

/// Counts its holders: with a second one, what the first did is not known. One row per asked attempt.
const LEASE: Sql = sql(
    "payments.lease_send",
    "update payment_attempts
     set lease_token = v.column2, lease_until = v.column3, asked_at = v.column4,
       leases = leases + case when lease_token = v.column2 then 0 else 1 end
     from (values {rows:4 $1}) as v
     where organization_id = v.column5 and id = v.column1 and state = 'created' and send_before > v.column4
       and (lease_until is null or lease_until <= v.column4 or lease_token = v.column2)
     returning id",
);

pub(super) async fn lease_send(
    cold: &Cold,
    organization: OrganizationId,
    payment: PaymentId,
    lease: SendLease,
    now: Timestamp,
) -> StoreResult<Option<Attempt>> {
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
        // Of those who ask for one attempt in one batch the first is asked for now; the others see what it left.
        let mut first = BTreeMap::new();
        for (at, it) in asked.iter().enumerate() {
            first.entry(it.payment).or_insert(at);
        }
        let rows = first.values().filter_map(|at| asked.get(*at)).map(|it| {
            let Asked { payment, lease, now } = it;
            row![*payment, lease.token, lease.until, *now]
        });
        let statement = LEASE.planted(Bug::TwoSenders, "lease_until is null", "v.column4 = v.column4");
        let leased: Vec<(Uuid,)> = tx.fetch_rows(statement, binds![organization], rows.collect()).await?;
        let leased: Vec<PaymentId> = leased.into_iter().map(|(id,)| PaymentId::from_uuid(id)).collect();
        let wrote = !leased.is_empty();
        let rows = if wrote { attempts::read_rows(tx, organization, leased).await? } else { Vec::new() };
        let mut rows: BTreeMap<PaymentId, AttemptRow> = rows.into_iter().map(|row| (row.id(), row)).collect();
        let verdict = |(at, it): (usize, &&Asked)| match first.get(&it.payment) {
            Some(first) if *first == at => Verdict::Answer(rows.remove(&it.payment)),
            _ => Verdict::Again,
        };
        Ok(Applied { verdicts: asked.iter().enumerate().map(verdict).collect(), wrote })
    }

    async fn look_up(&self, _: &Db, _: OrganizationId, asked: &[&Asked]) -> Result<Vec<Option<Option<AttemptRow>>>> {
        // The same token leases again what it has leased, so asking again is the look-up.
        Ok(asked.iter().map(|_| None).collect())
    }
}
