//! A party in pieces, where no row has so many adjacent seats: over rows that follow each other, else anywhere.
//!
//! Never: more pieces than the longest ones need, a seat alone that a longer piece could have prevented.
//! To change how far neighbours may be: `NEIGHBOURING_ROWS`.

use std::ops::Range;

use super::NEIGHBOURING_ROWS;
use super::bits::{Bits, Run};
use super::plan::{Costs, SeatingPlan};
use super::together::within;

/// A run and the number of the row that it is in.
#[derive(Debug, Clone, Copy)]
struct Piece {
    run: Run,
    row: usize,
}

/// `quantity` seats within `open`, of which no row has so many adjacent ones; none where there are not enough at all.
pub(super) fn pieces(plan: &SeatingPlan, open: &Bits, costs: &Costs, quantity: u32) -> Option<Vec<u32>> {
    // Counting is quicker than looking for runs, so that only rows which have enough are looked at.
    let counts: Vec<u32> = plan.rows().iter().map(|row| open.count(row.first, row.end())).collect();
    if counts.iter().sum::<u32>() < quantity {
        return None;
    }
    let chosen = (1..=NEIGHBOURING_ROWS)
        .find_map(|rows| in_neighbouring_rows(plan, open, costs, &counts, rows, quantity))
        .or_else(|| fill(plan, costs, runs(plan, open, 0..counts.len()), quantity))?;
    Some(chosen.iter().flat_map(|piece| piece.run.first..piece.run.end()).collect())
}

/// The runs of open seats in some rows.
fn runs(plan: &SeatingPlan, open: &Bits, rows: Range<usize>) -> Vec<Piece> {
    let in_row = |row: usize| {
        let range = &plan.rows()[row];
        open.runs(range.first, range.end()).map(move |run| Piece { run, row })
    };
    rows.flat_map(in_row).collect()
}

/// The best pieces out of any `rows` rows that follow each other in one area: the fewest, then the nearest, then the frontmost rows.
fn in_neighbouring_rows(
    plan: &SeatingPlan,
    open: &Bits,
    costs: &Costs,
    counts: &[u32],
    rows: usize,
    quantity: u32,
) -> Option<Vec<Piece>> {
    let mut best: Option<((usize, u64), Vec<Piece>)> = None;
    for (first, block) in counts.windows(rows).enumerate() {
        let last = first + rows - 1;
        if block.iter().sum::<u32>() < quantity || plan.rows()[first].area != plan.rows()[last].area {
            continue;
        }
        // Two pieces are the fewest there can be, as no row has so many adjacent seats.
        let at_least = (first..=last).map(|row| costs.at_least(row, quantity)).min().unwrap_or(0);
        if best.as_ref().is_some_and(|(least, _)| *least <= (2, at_least)) {
            continue;
        }
        let Some(chosen) = fill(plan, costs, runs(plan, open, first..last + 1), quantity) else { continue };
        let cost = |piece: &Piece| u64::from(costs.of(plan, piece.row, piece.run.first, piece.run.len));
        let rank = (chosen.len(), chosen.iter().map(cost).sum());
        if best.as_ref().is_none_or(|(least, _)| rank < *least) {
            best = Some((rank, chosen));
        }
    }
    best.map(|(_, chosen)| chosen)
}

/// `quantity` seats out of `runs`, none of which has so many: the longest whole, then the best window for what is left.
fn fill(plan: &SeatingPlan, costs: &Costs, mut runs: Vec<Piece>, quantity: u32) -> Option<Vec<Piece>> {
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

/// Takes a seat from the further end of a chosen piece of three or more, so that one more sits with the next piece; false where there is none.
fn share_one(plan: &SeatingPlan, costs: &Costs, chosen: &mut [Piece]) -> bool {
    let Some(piece) = chosen.iter_mut().rfind(|piece| piece.run.len > 2) else { return false };
    let end = |place| costs.of(plan, piece.row, place, 1);
    if end(piece.run.first) > end(piece.run.end() - 1) {
        piece.run.first += 1;
    }
    piece.run.len -= 1;
    true
}
