//! Splits a party into pieces where no row has enough adjacent seats: over consecutive rows of one area, else anywhere.
//!
//! Never: more pieces than the longest ones need, or a person alone where a longer piece could give up a seat.
//! To change how many rows are neighbouring: `NEIGHBOURING_ROWS_MAX`.

use std::ops::Range;

use super::NEIGHBOURING_ROWS_MAX;
use super::adjacent_seats::within;
use super::place_bitmap::{Bits, Run};
use super::seating_plan::{Costs, SeatingPlan};

/// A run of seats within one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub run: Run,
    /// The number of the row.
    pub row: usize,
}

/// Chooses `quantity` seats within `open`, where no row has that many adjacent ones; none where `open` has fewer.
pub(super) fn pieces(plan: &SeatingPlan, open: &Bits, costs: &Costs, quantity: u32) -> Option<Vec<u32>> {
    let runs = Runs::of(plan, open);
    if runs.seats_of(0..plan.rows().len()) < quantity {
        return None;
    }
    let chosen = (1..=NEIGHBOURING_ROWS_MAX)
        .find_map(|rows| in_neighbouring_rows(plan, &runs, costs, rows, quantity))
        .or_else(|| fill(plan, costs, runs.pieces, quantity))?;
    Some(chosen.iter().flat_map(|piece| piece.run.first..piece.run.end()).collect())
}

/// Every run of open seats by row, computed once per choice.
pub(super) struct Runs {
    pieces: Vec<Piece>,
    /// For each row the number of runs and of open seats before it, and a last entry for the end.
    before: Vec<(usize, u32)>,
}

impl Runs {
    pub fn of(plan: &SeatingPlan, open: &Bits) -> Self {
        let rows = plan.rows();
        let mut before = Vec::with_capacity(rows.len() + 1);
        let mut pieces = Vec::new();
        let mut seats = 0;
        for run in open.joined_runs(plan.joined()) {
            while rows.get(before.len()).is_some_and(|row| row.first <= run.first) {
                before.push((pieces.len(), seats));
            }
            pieces.push(Piece { run, row: before.len().saturating_sub(1) });
            seats += run.len;
        }
        before.resize(rows.len() + 1, (pieces.len(), seats));
        Self { pieces, before }
    }

    pub fn of_rows(&self, rows: Range<usize>) -> &[Piece] {
        &self.pieces[self.before[rows.start].0..self.before[rows.end].0]
    }

    fn seats_of(&self, rows: Range<usize>) -> u32 {
        self.before[rows.end].1 - self.before[rows.start].1
    }

    /// How many of the longest runs of `rows` are needed for `quantity`; none where all of them are too few. `lengths` is a reused buffer.
    fn fewest(&self, rows: Range<usize>, quantity: u32, lengths: &mut Vec<u32>) -> Option<usize> {
        lengths.clear();
        lengths.extend(self.of_rows(rows).iter().map(|piece| piece.run.len));
        lengths.sort_unstable_by_key(|length| std::cmp::Reverse(*length));
        let mut sum = 0;
        let enough = lengths.iter().position(|length| {
            sum += length;
            sum >= quantity
        });
        enough.map(|at| at + 1)
    }
}

/// The best pieces out of any `rows` consecutive rows of one area: the fewest, then the nearest, then the frontmost rows.
///
/// Visits the blocks of rows by their nearest row, so that the search stops where no later block can be better.
pub(super) fn in_neighbouring_rows(
    plan: &SeatingPlan,
    runs: &Runs,
    costs: &Costs,
    rows: usize,
    quantity: u32,
) -> Option<Vec<Piece>> {
    let mut best: Option<((usize, u64, usize), Vec<Piece>)> = None;
    let mut lengths = Vec::new();
    for nearest in &costs.order {
        let at_least = costs.at_least(*nearest, quantity);
        // At least two pieces are needed, as no row has enough adjacent seats.
        if best.as_ref().is_some_and(|(rank, _)| *rank < (2, at_least, 0)) {
            break;
        }
        for first in (nearest + 1).saturating_sub(rows)..=*nearest {
            let block = first..first + rows;
            if block.end > plan.rows().len() || runs.seats_of(block.clone()) < quantity {
                continue;
            }
            let one_area = plan.rows()[first].area == plan.rows()[block.end - 1].area;
            if !one_area || costs.nearest_row(block.clone()) != Some(*nearest) {
                continue;
            }
            let Some(count) = runs.fewest(block.clone(), quantity, &mut lengths) else { continue };
            if best.as_ref().is_some_and(|(rank, _)| *rank <= (count, at_least, first)) {
                continue;
            }
            let Some(chosen) = fill(plan, costs, runs.of_rows(block).to_vec(), quantity) else { continue };
            let cost = |piece: &Piece| u64::from(costs.of(plan, piece.row, piece.run.first, piece.run.len));
            let rank = (chosen.len(), chosen.iter().map(cost).sum(), first);
            if best.as_ref().is_none_or(|(least, _)| rank < *least) {
                best = Some((rank, chosen));
            }
        }
    }
    best.map(|(_, chosen)| chosen)
}

/// Chooses `quantity` seats out of shorter `runs`: the longest runs whole, then the best window for the rest.
pub(super) fn fill(plan: &SeatingPlan, costs: &Costs, mut runs: Vec<Piece>, quantity: u32) -> Option<Vec<Piece>> {
    let cost = |piece: &Piece| costs.of(plan, piece.row, piece.run.first, piece.run.len);
    runs.sort_unstable_by_key(|piece| (std::cmp::Reverse(piece.run.len), cost(piece), piece.run.first));
    let mut chosen: Vec<Piece> = Vec::new();
    let mut left = quantity;
    for (at, piece) in runs.iter().enumerate() {
        if piece.run.len >= left {
            if left == 1 && piece.run.len > 1 && share_one(plan, costs, &mut chosen) {
                left += 1;
            }
            let long_enough = runs[at..].iter().take_while(|piece| piece.run.len >= left);
            let windows =
                long_enough.filter_map(|piece| Some((within(plan, costs, piece.row, piece.run, left)?, piece.row)));
            let (rank, row) = windows.min()?;
            chosen.push(Piece { run: Run { first: rank.first, len: left }, row });
            return Some(chosen);
        }
        chosen.push(*piece);
        left -= piece.run.len;
    }
    None
}

/// Moves one person from the further end of a chosen piece of three or more to the next piece; false where there is no such piece.
fn share_one(plan: &SeatingPlan, costs: &Costs, chosen: &mut [Piece]) -> bool {
    let Some(piece) = chosen.iter_mut().rfind(|piece| piece.run.len > 2) else { return false };
    let end = |place| costs.of(plan, piece.row, place, 1);
    if end(piece.run.first) > end(piece.run.end() - 1) {
        piece.run.first += 1;
    }
    piece.run.len -= 1;
    true
}
