//! Places many orders in one transaction, each with all of its places or not at all (P1, P2).
//!
//! Repeated requests are answered first. Overlaps inside the batch are settled in memory by arrival. One statement then claims the places of all
//! candidates, and a candidate that did not get all of its places frees those it got. Never: an order row that does not own its places.

mod overlapping_orders;
mod replays;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::checkout::ports::NewOrder;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_app::idempotency::Created;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place::PlaceState;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use crate::Cold;
use crate::checkout::sale_counts::{self, LimitCheck};
use crate::committer::{BatchCommit, BatchOutcome, CommandOutcome, SubmitError};
use crate::db::{Db, DbResult, Tx};
use crate::ticketing::places::{self, MovedPlace, OwnedPlace};

/// The answer of a submitted order.
pub(crate) type PlaceOrderResult = Result<Created<()>, Refusal>;

/// Rows per order beside those per line: order, attempt, record, two outbox events.
const ROWS_PER_ORDER: usize = 5;

pub(super) async fn place_order(
    cold: &Cold,
    organization: OrganizationId,
    order: NewOrder,
) -> StoreResult<PlaceOrderResult> {
    let places: BTreeSet<PlaceNumber> = order.lines.iter().map(|line| line.place).collect();
    if places.is_empty() || places.len() < order.lines.len() {
        return Err(Fault::internal("an order without places, or with the same place twice"));
    }
    if order.total.is_zero() && order.tickets.len() != order.lines.len() {
        return Err(Fault::internal("a free order without a ticket for each line"));
    }
    match cold.orders.submit(organization, order).await {
        Ok(answer) => Ok(answer),
        Err(SubmitError::Overloaded) => Ok(Err(overloaded())),
        Err(SubmitError::Failed(error)) => Err(error.into()),
    }
}

fn overloaded() -> Refusal {
    Refusal::new(Code::Overloaded, "More orders wait than can be written. Nothing was ordered; try again in a moment.")
        .with(|evidence| evidence.retry_after = Some(1))
}

/// The batch command that places orders.
pub(crate) struct PlaceOrders {
    pub(crate) environment: Arc<dyn Environment>,
}

#[async_trait]
impl BatchCommit for PlaceOrders {
    const NAME: &'static str = "orders";
    type Command = NewOrder;
    type Reply = PlaceOrderResult;

    fn row_estimate(order: &NewOrder) -> usize {
        ROWS_PER_ORDER + 2 * order.lines.len()
    }

    /// Repeats of one request have the same hold.
    fn ordering_key(order: &NewOrder) -> u128 {
        order.hold.uuid().as_u128()
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        orders: &[&NewOrder],
    ) -> DbResult<BatchOutcome<PlaceOrderResult>> {
        let mut answers = replays::replayed(tx, organization, orders).await?;
        let known: Vec<bool> = answers.iter().map(Option::is_some).collect();
        let plan = overlapping_orders::plan(orders, &known);
        let mut candidates = Vec::new();
        for (index, room) in sale_counts::check_limits(tx, organization, orders, &plan.candidates).await? {
            match room {
                LimitCheck::Fits => candidates.push(index),
                LimitCheck::Contested => {}
                LimitCheck::Exceeded(refusal) => answers[index] = Some(Err(refusal)),
            }
        }
        let mut claimed = claim(tx, organization, orders, &candidates).await?;
        let mut contested = plan.contested;
        let mut winners = Vec::new();
        let mut to_free = Vec::new();
        for index in candidates {
            let order = orders[index];
            let got = claimed.remove(&order.id.uuid()).unwrap_or_default();
            if got.len() == order.lines.len() {
                winners.push((order, got));
                answers[index] = Some(Ok(Created::Fresh(())));
            } else {
                to_free.extend(got.iter().map(|moved| owned(order, moved.effect.place)));
                contested.push(index);
            }
        }
        let wrote = !winners.is_empty();
        places::free(tx, organization, to_free).await?;
        if wrote {
            write::write(tx, organization, winners, &*self.environment).await?;
        }
        refuse_contested(tx, organization, orders, &contested, &mut answers).await?;
        let outcomes =
            answers.into_iter().map(|answer| answer.map_or(CommandOutcome::Retry, CommandOutcome::Reply)).collect();
        Ok(BatchOutcome { outcomes, wrote })
    }

    async fn find_committed(
        &self,
        db: &Db,
        organization: OrganizationId,
        orders: &[&NewOrder],
    ) -> DbResult<Vec<Option<PlaceOrderResult>>> {
        let written = replays::written(db, organization, orders).await?;
        Ok(orders.iter().map(|order| written.contains(&order.id).then_some(Ok(Created::Fresh(())))).collect())
    }
}

fn owned(order: &NewOrder, place: PlaceNumber) -> OwnedPlace {
    OwnedPlace { event: order.event, place, owner: order.id.uuid() }
}

/// Claims the places of all candidates, or sells those of free orders; returns the places that each order got.
async fn claim(
    tx: &mut Tx,
    organization: OrganizationId,
    orders: &[&NewOrder],
    candidates: &[usize],
) -> DbResult<BTreeMap<Uuid, Vec<MovedPlace>>> {
    let mut wanted = Vec::new();
    for order in candidates.iter().map(|index| orders[*index]) {
        let to = if order.total.is_zero() { PlaceState::Sold } else { PlaceState::Claimed };
        wanted.extend(order.lines.iter().map(|line| (owned(order, line.place), to)));
    }
    let mut by_order = BTreeMap::<Uuid, Vec<MovedPlace>>::new();
    for moved in places::take_free(tx, organization, wanted).await? {
        if let Some(owner) = moved.effect.owner {
            by_order.entry(owner).or_default().push(moved);
        }
    }
    Ok(by_order)
}

/// Refuses orders whose places are taken, naming these places. An order that lost only to orders that failed too gets no answer and is retried.
async fn refuse_contested(
    tx: &mut Tx,
    organization: OrganizationId,
    orders: &[&NewOrder],
    contested: &[usize],
    answers: &mut [Option<PlaceOrderResult>],
) -> DbResult<()> {
    let wanted = contested.iter().flat_map(|index| {
        let order = orders[*index];
        order.lines.iter().map(|line| (order.event, line.place))
    });
    let taken: BTreeSet<_> = places::find_not_free(tx, organization, wanted.collect())
        .await?
        .iter()
        .map(|moved| (moved.event, moved.effect.place))
        .collect();
    for index in contested {
        let order = orders[*index];
        let places: Vec<PlaceNumber> =
            order.lines.iter().map(|line| line.place).filter(|place| taken.contains(&(order.event, *place))).collect();
        if !places.is_empty() {
            answers[*index] = Some(Err(Refusal::place_taken(places)));
        }
    }
    Ok(())
}
