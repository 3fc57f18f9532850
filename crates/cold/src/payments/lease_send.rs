//! Leases the right to send an attempt to its provider, to one sender at a time and only before `send_before` (P2); many leases share one commit.

use std::collections::BTreeMap;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::payments::ports::{Attempt, SendLease};
use voelgoed_domain::ids::{OrganizationId, PaymentId};
use voelgoed_domain::time::Timestamp;

use super::attempts::{self, AttemptRow};
use crate::Cold;
use crate::committer::{BatchCommit, BatchOutcome, CommandOutcome, SubmitError};
use crate::db::{Db, DbResult, Sql, Tx, binds, row, sql};

/// Counts the holders, because after a second lease it is unknown whether the first sender has sent a charge. At most one row per attempt.
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
    match cold.send_leases.submit(organization, SendLeaseRequest { payment, lease, now }).await {
        Ok(leased) => Ok(leased.map(AttemptRow::attempt).transpose()?),
        Err(SubmitError::Overloaded) => {
            Err(Fault::unavailable(Dependency::Cold, "more payments wait to be sent than can be written"))
        }
        Err(SubmitError::Failed(error)) => Err(error.into()),
    }
}

/// A request of a sender for a lease.
pub(crate) struct SendLeaseRequest {
    payment: PaymentId,
    lease: SendLease,
    now: Timestamp,
}

/// The batch command that leases attempts.
pub(crate) struct SendLeases;

#[async_trait]
impl BatchCommit for SendLeases {
    const NAME: &'static str = "send_leases";
    type Command = SendLeaseRequest;
    type Reply = Option<AttemptRow>;

    fn row_estimate(_asked: &SendLeaseRequest) -> usize {
        1
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        requests: &[&SendLeaseRequest],
    ) -> DbResult<BatchOutcome<Option<AttemptRow>>> {
        // The first request for each attempt decides in this batch; later ones are retried and see its lease.
        let mut first = BTreeMap::new();
        for (at, it) in requests.iter().enumerate() {
            first.entry(it.payment).or_insert(at);
        }
        let rows = first.values().filter_map(|at| requests.get(*at)).map(|it| {
            let SendLeaseRequest { payment, lease, now } = it;
            row![*payment, lease.token, lease.until, *now]
        });
        let leased: Vec<(Uuid,)> = tx.fetch_rows(LEASE, binds![organization], rows.collect()).await?;
        let leased: Vec<PaymentId> = leased.into_iter().map(|(id,)| PaymentId::from_uuid(id)).collect();
        let wrote = !leased.is_empty();
        let rows = if wrote { attempts::read_rows(tx, organization, leased).await? } else { Vec::new() };
        let mut rows: BTreeMap<PaymentId, AttemptRow> = rows.into_iter().map(|row| (row.id(), row)).collect();
        let outcome = |(at, it): (usize, &&SendLeaseRequest)| match first.get(&it.payment) {
            Some(first) if *first == at => CommandOutcome::Reply(rows.remove(&it.payment)),
            _ => CommandOutcome::Retry,
        };
        Ok(BatchOutcome { outcomes: requests.iter().enumerate().map(outcome).collect(), wrote })
    }

    async fn find_committed(
        &self,
        _: &Db,
        _: OrganizationId,
        requests: &[&SendLeaseRequest],
    ) -> DbResult<Vec<Option<Option<AttemptRow>>>> {
        // A repeated lease with the same token succeeds, so the retry is the look-up.
        Ok(requests.iter().map(|_| None).collect())
    }
}
