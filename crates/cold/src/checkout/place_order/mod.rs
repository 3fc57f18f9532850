//! Orders are written and their places claimed, many in one transaction, each all or nothing (P1, P2).
//!
//! Repeats are answered first; overlaps inside the batch are settled in memory by arrival; then one statement claims the places of all candidates. Who
//! did not get all of its places gives back those it got. Never: an order row whose places were not claimed by it.

mod plan;
mod repeats;
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
use voelgoed_domain::ticketing::place::{PlaceNumber, PlaceState};

use crate::Cold;
use crate::checkout::counts::{self, Room};
use crate::committer::{Applied, Commit, Unanswered, Verdict};
use crate::db::{Db, Result, Tx};
use crate::ticketing::places::{self, Moved, Owned};

/// What a submitter is told.
pub(crate) type Answer = std::result::Result<Created<()>, Refusal>;

/// The order's own rows beside those per line: order, attempt, record, two facts.
const ROWS_PER_ORDER: usize = 5;

pub(super) async fn place_order(cold: &Cold, organization: OrganizationId, order: NewOrder) -> StoreResult<Answer> {
    let places: BTreeSet<PlaceNumber> = order.lines.iter().map(|line| line.place).collect();
    if places.is_empty() || places.len() < order.lines.len() {
        return Err(Fault::internal("an order without places, or with one twice"));
    }
    if order.total.is_zero() && order.tickets.len() != order.lines.len() {
        return Err(Fault::internal("an order that is paid at once without a ticket for each line"));
    }
    match cold.orders.submit(organization, order).await {
        Ok(answer) => Ok(answer),
        Err(Unanswered::Overloaded) => Ok(Err(overloaded())),
        Err(Unanswered::Failed(error)) => Err(error.into()),
    }
}

fn overloaded() -> Refusal {
    Refusal::new(Code::Overloaded, "More orders wait than can be written. Try again in a moment.")
        .with(|evidence| evidence.retry_after = Some(1))
}

/// The committed command.
pub(crate) struct PlaceOrders {
    pub(crate) environment: Arc<dyn Environment>,
}

#[async_trait]
impl Commit for PlaceOrders {
    const NAME: &'static str = "orders";
    type Command = NewOrder;
    type Answer = Answer;

    fn rows(order: &NewOrder) -> usize {
        ROWS_PER_ORDER + 2 * order.lines.len()
    }

    /// Tries of one request have their hold in common.
    fn belongs_with(order: &NewOrder) -> u128 {
        order.hold.uuid().as_u128()
    }

    async fn apply(&self, tx: &mut Tx, organization: OrganizationId, orders: &[&NewOrder]) -> Result<Applied<Answer>> {
        let mut answers = repeats::answers(tx, organization, orders).await?;
        let known: Vec<bool> = answers.iter().map(Option::is_some).collect();
        let plan = plan::plan(orders, &known);
        let mut candidates = Vec::new();
        for (index, room) in counts::room(tx, organization, orders, &plan.candidates).await? {
            match room {
                Room::Enough => candidates.push(index),
                Room::Perhaps => {}
                Room::None(refusal) => answers[index] = Some(Err(refusal)),
            }
        }
        let mut claimed = claim(tx, organization, orders, &candidates).await?;
        let mut contested = plan.contested;
        let mut winners = Vec::new();
        let mut given_back = Vec::new();
        for index in candidates {
            let order = orders[index];
            let got = claimed.remove(&order.id.uuid()).unwrap_or_default();
            if got.len() == order.lines.len() {
                winners.push((order, got));
                answers[index] = Some(Ok(Created::Fresh(())));
            } else {
                given_back.extend(got.iter().map(|moved| owned(order, moved.effect.place)));
                contested.push(index);
            }
        }
        let wrote = !winners.is_empty();
        places::free(tx, organization, given_back).await?;
        if wrote {
            write::write(tx, organization, winners, &*self.environment).await?;
        }
        refuse_taken(tx, organization, orders, &contested, &mut answers).await?;
        let verdicts = answers.into_iter().map(|answer| answer.map_or(Verdict::Again, Verdict::Answer)).collect();
        Ok(Applied { verdicts, wrote })
    }

    async fn look_up(
        &self,
        db: &Db,
        organization: OrganizationId,
        orders: &[&NewOrder],
    ) -> Result<Vec<Option<Answer>>> {
        let written = repeats::written(db, organization, orders).await?;
        Ok(orders.iter().map(|order| written.contains(&order.id).then_some(Ok(Created::Fresh(())))).collect())
    }
}

fn owned(order: &NewOrder, place: PlaceNumber) -> Owned {
    Owned { event: order.event, place, owner: order.id.uuid() }
}

/// Claims (or, where nothing is owed, sells at once) the places of all candidates; what each got, by order.
async fn claim(
    tx: &mut Tx,
    organization: OrganizationId,
    orders: &[&NewOrder],
    candidates: &[usize],
) -> Result<BTreeMap<Uuid, Vec<Moved>>> {
    let mut wanted = Vec::new();
    for order in candidates.iter().map(|index| orders[*index]) {
        let to = if order.total.is_zero() { PlaceState::Sold } else { PlaceState::Claimed };
        wanted.extend(order.lines.iter().map(|line| (owned(order, line.place), to)));
    }
    let mut by_order = BTreeMap::<Uuid, Vec<Moved>>::new();
    for moved in places::take(tx, organization, wanted).await? {
        if let Some(owner) = moved.effect.owner {
            by_order.entry(owner).or_default().push(moved);
        }
    }
    Ok(by_order)
}

/// Refuses those of whom places are taken, with exactly these; who lost only to others that lost gets no answer yet.
async fn refuse_taken(
    tx: &mut Tx,
    organization: OrganizationId,
    orders: &[&NewOrder],
    contested: &[usize],
    answers: &mut [Option<Answer>],
) -> Result<()> {
    let wanted = contested.iter().flat_map(|index| {
        let order = orders[*index];
        order.lines.iter().map(|line| (order.event, line.place))
    });
    let taken: BTreeSet<_> = places::taken(tx, organization, wanted.collect())
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
