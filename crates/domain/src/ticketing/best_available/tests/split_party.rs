//! Tests the search over blocks of rows, which stops early, against one that tries every block.

use super::exhaustive_model::halls;
use super::*;
use crate::ticketing::best_available::split_party::{Piece, Runs, fill, in_neighbouring_rows};

/// The best pieces of any `rows` rows of one area, by trying every block in order.
fn trying_all(plan: &SeatingPlan, runs: &Runs, rows: usize, quantity: u32) -> Option<Vec<Piece>> {
    let costs = plan.costs();
    let cost = |piece: &Piece| u64::from(costs.of(plan, piece.row, piece.run.first, piece.run.len));
    let blocks = (0..(plan.rows().len() + 1).saturating_sub(rows)).map(|first| first..first + rows);
    let in_one_area = blocks.filter(|block| plan.rows()[block.start].area == plan.rows()[block.end - 1].area);
    let filled = in_one_area.filter_map(|block| fill(plan, costs, runs.of_rows(block).to_vec(), quantity));
    // Of equals the first, frontmost block is kept.
    filled.min_by_key(|chosen| (chosen.len(), chosen.iter().map(cost).sum::<u64>()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn early_stopping_search_finds_the_same_pieces_as_exhaustive_search(hall in halls(), quantity in 2_u32..12) {
        let free = FreeIf(|place: PlaceNumber| hall.free.get(place.index()) == Some(&true));
        let open = hall.plan.free(&free, &[]).and(hall.plan.ordinary());
        let runs = Runs::of(&hall.plan, &open);
        // A party is split only where no row has enough adjacent seats.
        prop_assume!(adjacent_seats::window(&hall.plan, &open, hall.plan.costs(), quantity).is_none());
        for rows in 1..=NEIGHBOURING_ROWS_MAX {
            let found = in_neighbouring_rows(&hall.plan, &runs, hall.plan.costs(), rows, quantity);
            prop_assert_eq!(found, trying_all(&hall.plan, &runs, rows, quantity), "{} rows", rows);
        }
    }
}
