//! Applies observations of payment attempts: the domain decides on each, and one transaction writes the updates of many (P2, P5).
//!
//! The orders are locked first, in the order of their identifiers. Applying an observation twice has no further effect, so a commit whose reply was lost is
//! followed by a retry.

mod execute;
mod payment_update;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::payments::ports::PaymentObservation;
use voelgoed_domain::ids::{OrderId, OrganizationId, PaymentId};
use voelgoed_domain::payments::decide::PaymentDecision;

use self::payment_update::PaymentUpdate;
use super::attempts::{self, AttemptRow};
use crate::Cold;
use crate::checkout::order_row::{self, OrderRow};
use crate::committer::{BatchCommit, BatchOutcome, CommandOutcome, SubmitError};
use crate::db::{Db, DbResult, Sql, Tx, binds, row, sql};

/// A rough number of rows of a paid order: attempt, order, entry, postings, two outbox events, and three per place.
const ROWS_PER_UPDATE: usize = 20;

const ORDERS: Sql = sql(
    "payments.orders_of_attempts",
    "select a.order_id from (values {rows:1 $1}) as v
     cross join payment_attempts a where a.organization_id = v.column2 and a.id = v.column1",
);

pub(super) async fn apply_observation(
    cold: &Cold,
    organization: OrganizationId,
    observed: PaymentObservation,
) -> StoreResult<PaymentDecision> {
    match cold.payment_updates.submit(organization, observed).await {
        Ok(decision) => decision,
        Err(SubmitError::Overloaded) => {
            Err(Fault::unavailable(Dependency::Cold, "more payment observations wait than can be written"))
        }
        Err(SubmitError::Failed(error)) => Err(error.into()),
    }
}

/// The batch command that applies observations.
pub(crate) struct PaymentUpdates {
    pub(crate) environment: Arc<dyn Environment>,
}

#[async_trait]
impl BatchCommit for PaymentUpdates {
    const NAME: &'static str = "payments";
    type Command = PaymentObservation;
    type Reply = StoreResult<PaymentDecision>;

    fn row_estimate(_observation: &PaymentObservation) -> usize {
        ROWS_PER_UPDATE
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        observations: &[&PaymentObservation],
    ) -> DbResult<BatchOutcome<StoreResult<PaymentDecision>>> {
        let (orders, attempts) = read(tx, organization, observations).await?;
        let mut outcomes = Vec::with_capacity(observations.len());
        let mut touched = BTreeSet::new();
        let mut updates = Vec::new();
        for observed in observations {
            let Some(attempt) = attempts.get(&observed.payment) else {
                outcomes.push(CommandOutcome::Reply(Ok(PaymentDecision::NoAttempt)));
                continue;
            };
            if !touched.insert(attempt.order()) {
                // The earlier update of the same order decides first.
                outcomes.push(CommandOutcome::Retry);
                continue;
            }
            let update = PaymentUpdate::decide(observed, attempt, orders.get(&attempt.order()))?;
            outcomes.push(CommandOutcome::Reply(Ok(update.decision.clone())));
            if !matches!(update.decision, PaymentDecision::Nothing | PaymentDecision::QueryProvider) {
                updates.push(update);
            }
        }
        execute::execute(tx, organization, &updates, &*self.environment).await?;
        Ok(BatchOutcome { outcomes, wrote: !updates.is_empty() })
    }

    async fn find_committed(
        &self,
        _: &Db,
        _: OrganizationId,
        observations: &[&PaymentObservation],
    ) -> DbResult<Vec<Option<StoreResult<PaymentDecision>>>> {
        // The decision depends on the stored rows, so the retry is the look-up. If the lost commit happened, the retry decides `Nothing`: true for the
        // payment, and only one count in the metrics is lost.
        Ok(observations.iter().map(|_| None).collect())
    }
}

type Orders = BTreeMap<OrderId, OrderRow>;
type Attempts = BTreeMap<PaymentId, AttemptRow>;

/// Locks the orders of the observed attempts and reads both.
async fn read(
    tx: &mut Tx,
    organization: OrganizationId,
    observations: &[&PaymentObservation],
) -> DbResult<(Orders, Attempts)> {
    let payments: BTreeSet<PaymentId> = observations.iter().map(|observed| observed.payment).collect();
    let keys = payments.iter().map(|payment| row![*payment]).collect();
    let orders: Vec<(Uuid,)> = tx.fetch_rows(ORDERS, binds![organization], keys).await?;
    let orders = orders.into_iter().map(|(id,)| OrderId::from_uuid(id)).collect();
    let locked = order_row::lock(tx, organization, orders).await?;
    let orders = locked.into_iter().map(|row| (row.id(), row)).collect();
    let rows = attempts::read_rows(tx, organization, payments.into_iter().collect()).await?;
    Ok((orders, rows.into_iter().map(|row| (row.id(), row)).collect()))
}
