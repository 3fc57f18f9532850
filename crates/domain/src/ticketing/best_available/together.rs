//! Adjacent seats of one row: the window with the fewest seats left alone beside it, then the nearest, then the lowest number.
//!
//! Never: a walk over rows that cannot hold anything better: rows come by their nearest seat, and the walk stops where that is too far.
//! To change the preference: [`Rank`]'s order of fields, which the model in `tests` repeats.

use super::bits::{Bits, Run};
use super::plan::{Costs, SeatingPlan};

/// How good a window is; smaller is better, field by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// Free seats left alone beside it: 0, 1 or 2.
    pub orphans: u32,
    /// How far it is.
    pub cost: u32,
    /// Its first place.
    pub first: u32,
}

/// The first place of the best window of `quantity` seats within `open`.
pub(super) fn window(plan: &SeatingPlan, open: &Bits, costs: &Costs, quantity: u32) -> Option<u32> {
    let starts = open.windows(plan.joined(), quantity);
    if starts.is_empty() {
        return None;
    }
    let mut best: Option<Rank> = None;
    for row in &costs.order {
        if best.is_some_and(|best| best.orphans == 0 && u64::from(best.cost) < costs.at_least(*row, quantity)) {
            break;
        }
        let range = &plan.rows()[*row];
        for start in starts.runs(range.first, range.end()) {
            // Windows that start next to each other share the free seats that they lie in.
            let run = Run { first: start.first, len: start.len + quantity - 1 };
            if let Some(rank) = within(plan, costs, *row, run, quantity) {
                best = Some(best.map_or(rank, |best| best.min(rank)));
            }
        }
    }
    best.map(|best| best.first)
}

/// The best window of `quantity` seats within one run of row number `row`.
pub(super) fn within(plan: &SeatingPlan, costs: &Costs, row: usize, run: Run, quantity: u32) -> Option<Rank> {
    let last = run.len.checked_sub(quantity)?;
    let rank = |before: u32| Rank {
        orphans: u32::from(before == 1) + u32::from(last - before == 1),
        cost: costs.of(plan, row, run.first + before, quantity),
        first: run.first + before,
    };
    (0..=last).map(rank).min()
}
