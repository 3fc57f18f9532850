//! Finds adjacent seats of one row: the window that leaves the fewest seats alone, then the nearest, then the lowest number.
//!
//! Never: visits a row that cannot hold a better window; rows are visited by their nearest seat, and the search stops at the first that is too far.
//! To change the preference: the order of [`Rank`]'s fields, which the model in `tests` repeats.

use super::place_bitmap::{Bits, Run};
use super::seating_plan::{Costs, SeatingPlan};

/// The rank of a window, compared field by field; smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// Free seats left alone beside it: 0, 1 or 2.
    pub orphans: u32,
    /// The sum of its seats' costs.
    pub cost: u32,
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
            // Windows with consecutive starts lie in one run of free seats.
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
