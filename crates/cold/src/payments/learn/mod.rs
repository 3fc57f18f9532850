//! Whatever is learned about attempts: the domain decides, one transaction carries the consequences of many out (P2, P5).
//!
//! The orders are locked first, in the order of their identifiers. Learning the same again does nothing, so a lost answer is followed by learning it again.

mod carry_out;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::payments::ports::Learned;
use voelgoed_domain::ids::{OrderId, OrganizationId, PaymentId};
use voelgoed_domain::payments::decide::Decision;

use self::work::Work;
use super::attempts::{self, AttemptRow};
use crate::Cold;
use crate::checkout::order_row::{self, OrderRow};
use crate::committer::{Applied, Commit, Unanswered, Verdict};
use crate::db::{Db, Result, Sql, Tx, binds, row, sql};

/// About how many rows an issued order writes: attempt, order, entry, postings, two facts, and three per place of a usual order.
const ROWS_PER_LESSON: usize = 20;

const ORDERS: Sql = sql(
    "payments.orders_of_attempts",
    "select a.order_id from (values {rows:1 $1}) as v
     cross join payment_attempts a where a.organization_id = v.column2 and a.id = v.column1",
);

pub(super) async fn learn(cold: &Cold, organization: OrganizationId, learned: Learned) -> StoreResult<Decision> {
    match cold.lessons.submit(organization, learned).await {
        Ok(decision) => decision,
        Err(Unanswered::Overloaded) => {
            Err(Fault::away(Dependency::Cold, "more is learned of payments than can be written"))
        }
        Err(Unanswered::Failed(error)) => Err(error.into()),
    }
}

/// The committed command.
pub(crate) struct Lessons {
    pub(crate) environment: Arc<dyn Environment>,
}

#[async_trait]
impl Commit for Lessons {
    const NAME: &'static str = "payments";
    type Command = Learned;
    type Answer = StoreResult<Decision>;

    fn rows(_learned: &Learned) -> usize {
        ROWS_PER_LESSON
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        lessons: &[&Learned],
    ) -> Result<Applied<StoreResult<Decision>>> {
        let (orders, attempts) = read(tx, organization, lessons).await?;
        let mut verdicts = Vec::with_capacity(lessons.len());
        let mut touched = BTreeSet::new();
        let mut works = Vec::new();
        for learned in lessons {
            let Some(attempt) = attempts.get(&learned.payment) else {
                verdicts.push(Verdict::Answer(Ok(Decision::NoAttempt)));
                continue;
            };
            if !touched.insert(attempt.order()) {
                // What this order has become is decided by the earlier one.
                verdicts.push(Verdict::Again);
                continue;
            }
            let work = Work::decide(learned, attempt, orders.get(&attempt.order()))?;
            verdicts.push(Verdict::Answer(Ok(work.decision.clone())));
            if !matches!(work.decision, Decision::Nothing | Decision::Ask) {
                works.push(work);
            }
        }
        carry_out::carry_out(tx, organization, &works, &*self.environment).await?;
        Ok(Applied { verdicts, wrote: !works.is_empty() })
    }

    async fn look_up(
        &self,
        _: &Db,
        _: OrganizationId,
        lessons: &[&Learned],
    ) -> Result<Vec<Option<StoreResult<Decision>>>> {
        // The decision reads what was written, so deciding again is the look-up. Where the lost commit was made it answers that nothing is
        // new: true of the payment, and the only loss is one count in the metrics.
        Ok(lessons.iter().map(|_| None).collect())
    }
}

type Orders = BTreeMap<OrderId, OrderRow>;
type Attempts = BTreeMap<PaymentId, AttemptRow>;

/// The attempts that were learned about, and their orders, locked.
async fn read(tx: &mut Tx, organization: OrganizationId, lessons: &[&Learned]) -> Result<(Orders, Attempts)> {
    let payments: BTreeSet<PaymentId> = lessons.iter().map(|learned| learned.payment).collect();
    let keys = payments.iter().map(|payment| row![*payment]).collect();
    let orders: Vec<(Uuid,)> = tx.fetch_rows(ORDERS, binds![organization], keys).await?;
    let orders = orders.into_iter().map(|(id,)| OrderId::from_uuid(id)).collect();
    let locked = order_row::lock(tx, organization, orders).await?;
    let orders = locked.into_iter().map(|row| (row.id(), row)).collect();
    let rows = attempts::read_rows(tx, organization, payments.into_iter().collect()).await?;
    Ok((orders, rows.into_iter().map(|row| (row.id(), row)).collect()))
}
