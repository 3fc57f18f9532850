//! Sorts the orders of a batch into those that claim their places and those that overlap an earlier order, so that one statement claims each place once.

use std::collections::BTreeSet;

use voelgoed_app::checkout::ports::NewOrder;

/// Indices into the batch. An order in no list is answered already, or waits for the next batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct BatchPlan {
    /// Orders whose places do not overlap; their places are claimed.
    pub(super) candidates: Vec<usize>,
    /// Orders that want a place of an earlier candidate; they are refused if the candidate gets it.
    pub(super) contested: Vec<usize>,
}

/// Plans a batch; `known` marks orders that have their answer already. An order with the hold, key or identifier of an earlier candidate waits for the
/// next batch, which can read the outcome of that candidate.
pub(super) fn plan(orders: &[&NewOrder], known: &[bool]) -> BatchPlan {
    let mut plan = BatchPlan::default();
    let mut holds = BTreeSet::new();
    let mut keys = BTreeSet::new();
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for (index, order) in orders.iter().enumerate().filter(|(index, _)| !known[*index]) {
        let key = (&order.idempotency.key.caller, &order.idempotency.key.key);
        if holds.contains(&order.hold) || keys.contains(&key) || ids.contains(&order.id) {
            continue;
        }
        let wanted = || order.lines.iter().map(|line| (order.event, line.place));
        if wanted().any(|place| places.contains(&place)) {
            plan.contested.push(index);
            continue;
        }
        holds.insert(order.hold);
        keys.insert(key);
        ids.insert(order.id);
        places.extend(wanted());
        plan.candidates.push(index);
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::new_order;

    #[test]
    fn overlapping_orders_are_contested_by_arrival_and_repeats_wait() {
        let (first, second, third) = (new_order(1, &[1, 2]), new_order(2, &[2, 3]), new_order(3, &[3]));
        let same_hold = NewOrder { hold: first.hold, ..new_order(4, &[9]) };
        let same_key = NewOrder { idempotency: third.idempotency.clone(), ..new_order(5, &[8]) };
        let same_id = NewOrder { id: first.id, ..new_order(6, &[7]) };
        let elsewhere = NewOrder {
            event: voelgoed_domain::ids::EventId::from_uuid(uuid::Uuid::from_u128(99)),
            ..new_order(7, &[1])
        };
        let batch = [&first, &second, &third, &same_hold, &same_key, &same_id, &elsewhere];
        assert_eq!(plan(&batch, &[false; 7]), BatchPlan { candidates: vec![0, 2, 6], contested: vec![1] });
        let known = [true, false, false, false, false, false, false];
        assert_eq!(
            plan(&batch, &known),
            BatchPlan { candidates: vec![1, 3, 4, 5, 6], contested: vec![2] },
            "known ones claim nothing"
        );
        assert_eq!(plan(&[], &[]), BatchPlan::default());
    }
}
