//! Settles overlaps inside a batch in memory, by arrival: nobody is claimed for twice in one statement.

use std::collections::BTreeSet;

use voelgoed_app::checkout::ports::NewOrder;

/// Who does what in this transaction, as indices into the batch; who is in no list is answered, or waits for the next batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Their places do not overlap: claim them.
    pub(super) candidates: Vec<usize>,
    /// They want a place of an earlier candidate: refused if that one gets it.
    pub(super) contested: Vec<usize>,
}

/// Plans a batch; `known` are those that have their answer already. The same hold, request or order as an earlier candidate's waits for the next
/// batch, where what became of that one can be read.
pub(super) fn plan(orders: &[&NewOrder], known: &[bool]) -> Plan {
    let mut plan = Plan::default();
    let mut holds = BTreeSet::new();
    let mut keys = BTreeSet::new();
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for (index, order) in orders.iter().enumerate().filter(|(index, _)| !known[*index]) {
        let key = (&order.idempotency.key.scope, &order.idempotency.key.key);
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
    use crate::testing::order;

    #[test]
    fn overlaps_are_settled_by_arrival() {
        let (first, second, third) = (order(1, &[1, 2]), order(2, &[2, 3]), order(3, &[3]));
        let same_hold = NewOrder { hold: first.hold, ..order(4, &[9]) };
        let same_key = NewOrder { idempotency: third.idempotency.clone(), ..order(5, &[8]) };
        let same_id = NewOrder { id: first.id, ..order(6, &[7]) };
        let elsewhere =
            NewOrder { event: voelgoed_domain::ids::EventId::from_uuid(uuid::Uuid::from_u128(99)), ..order(7, &[1]) };
        let batch = [&first, &second, &third, &same_hold, &same_key, &same_id, &elsewhere];
        assert_eq!(plan(&batch, &[false; 7]), Plan { candidates: vec![0, 2, 6], contested: vec![1] });
        let known = [true, false, false, false, false, false, false];
        assert_eq!(
            plan(&batch, &known),
            Plan { candidates: vec![1, 3, 4, 5, 6], contested: vec![2] },
            "known ones claim nothing"
        );
        assert_eq!(plan(&[], &[]), Plan::default());
    }
}
