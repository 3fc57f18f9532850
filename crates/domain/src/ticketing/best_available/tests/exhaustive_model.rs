//! Models the choice of seats by trying every window of every row, and checks each choice against the model.

use super::*;

/// A seat of the model.
#[derive(Clone)]
pub(super) struct ModelSeat {
    pub number: u32,
    pub area: usize,
    pub row: usize,
    pub open: bool,
    pub cost: u64,
}

/// The rows with their seats; ordinary free seats of the category are open.
pub(super) fn rows(hall: &Hall, category: Option<&str>) -> Vec<Vec<ModelSeat>> {
    let focus = hall.layout.focus();
    let seats = || hall.layout.areas.iter().flat_map(|area| area.rows()).flat_map(|row| &row.seats);
    let distance = |seat: &Seat| f64::from(seat.x - focus.x).hypot(f64::from(seat.y - focus.y));
    let furthest = seats().map(distance).fold(0.0, f64::max);
    let mut rows = Vec::new();
    for (area, part) in hall.layout.areas.iter().enumerate() {
        for row in part.rows() {
            let number = rows.len();
            let place = |(number_of_place, seat): (u32, &Seat)| {
                let special = seat.flags.iter().any(|flag| *flag != SeatFlag::RestrictedView);
                let further = if seat.flags.contains(&SeatFlag::RestrictedView) { 1e6 } else { 0.0 };
                let near = if furthest > 0.0 { distance(seat) * (1e6 / furthest) } else { 0.0 };
                ModelSeat {
                    number: number_of_place,
                    area,
                    row: number,
                    open: !special
                        && hall.free[number_of_place as usize]
                        && category.is_none_or(|category| category == seat.category),
                    cost: (near + further).round() as u64,
                }
            };
            rows.push(row.places().zip(&row.seats).map(place).collect());
        }
    }
    rows
}

/// The best window of one row over all rows: (seats left alone, cost, first place).
pub(super) fn together(rows: &[Vec<ModelSeat>], quantity: usize) -> Option<(u64, u64, u32)> {
    let mut best = None;
    for row in rows {
        let open = |at: isize| usize::try_from(at).ok().and_then(|at| row.get(at)).is_some_and(|place| place.open);
        for from in 0..row.len() {
            let Some(window) = row.get(from..from + quantity).filter(|window| window.iter().all(|place| place.open))
            else {
                continue;
            };
            let (from, to) = (from as isize, (from + quantity) as isize);
            let alone = u64::from(open(from - 1) && !open(from - 2)) + u64::from(open(to) && !open(to + 1));
            let rank = (alone, window.iter().map(|place| place.cost).sum(), window[0].number);
            best = Some(best.map_or(rank, |best: (u64, u64, u32)| best.min(rank)));
        }
    }
    best
}

/// The lengths of the runs of open seats in some rows, longest first.
fn lengths(rows: &[Vec<ModelSeat>]) -> Vec<usize> {
    let mut found: Vec<usize> = rows
        .iter()
        .flat_map(|row| row.split(|place| !place.open).map(<[ModelSeat]>::len).filter(|length| *length > 0))
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}

/// How many of the longest runs are needed for `quantity`; none where all of them are too few.
fn fewest(lengths: &[usize], quantity: usize) -> Option<usize> {
    (1..=lengths.len()).find(|count| lengths[..*count].iter().sum::<usize>() >= quantity)
}

/// The fewest pieces over blocks of as few rows as possible: (rows, pieces).
pub(super) fn split(rows: &[Vec<ModelSeat>], quantity: usize) -> Option<(usize, usize)> {
    let in_one_area = |block: &&[Vec<ModelSeat>]| block[0][0].area == block[block.len() - 1][0].area;
    for count in 1..=NEIGHBOURING_ROWS_MAX {
        let blocks = rows.windows(count).filter(in_one_area);
        if let Some(pieces) = blocks.filter_map(|block| fewest(&lengths(block), quantity)).min() {
            return Some((count, pieces));
        }
    }
    fewest(&lengths(rows), quantity).map(|pieces| (rows.len(), pieces))
}

fn seat() -> impl Strategy<Value = (char, bool, bool)> {
    (prop::sample::select(vec!['.', '.', '.', '.', '.', '.', 'a', 'c', 'r']), prop::bool::weighted(0.5), any::<bool>())
}

/// Random halls of one or two areas, half sold, with two categories and bent rows.
pub(super) fn halls() -> impl Strategy<Value = Hall> {
    prop::collection::vec(prop::collection::vec(prop::collection::vec(seat(), 1..14), 1..7), 1..3).prop_map(|areas| {
        let mut free = Vec::new();
        let mut y = 0.0;
        let mut rows_of = Vec::new();
        for area in areas {
            let mut rows = Vec::new();
            for (number, row) in area.into_iter().enumerate() {
                y += 1.25;
                let seats = row.iter().enumerate().map(|(x, (kind, is_free, gold))| {
                    free.push(*is_free);
                    let flags = match kind {
                        'a' => vec![SeatFlag::Accessible],
                        'c' => vec![SeatFlag::Companion],
                        'r' => vec![SeatFlag::RestrictedView],
                        _ => vec![],
                    };
                    let bend = (x as f32 - 6.0).powi(2) * 0.125;
                    let category = if *gold { "Gold" } else { "Silver" };
                    Seat { label: x.to_string(), x: x as f32, y: y - bend, category: category.into(), flags }
                });
                rows.push(RowDraft::new(number.to_string(), seats.collect()));
            }
            rows_of.push(rows);
        }
        built(rows_of, free)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn choice_equals_that_of_exhaustive_search(hall in halls(), quantity in 1_u32..9, category in prop::option::of(Just("Gold"))) {
        let rows = rows(&hall, category);
        let party = Party::of(quantity).in_categories(category.map(String::from).into_iter().collect());
        let open: Vec<&ModelSeat> = rows.iter().flatten().filter(|place| place.open).collect();
        let wanted = quantity as usize;
        let Some((places, closeness)) = hall.chosen(&party) else {
            prop_assert!(open.len() < wanted, "free seats are never withheld from a buyer");
            return Ok(());
        };
        let chosen: Vec<&ModelSeat> = places.iter().filter_map(|number| open.iter().find(|place| place.number == *number).copied()).collect();
        prop_assert_eq!(chosen.len(), wanted, "every chosen seat is open, once");
        prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]));

        if let Some((_, _, first)) = together(&rows, wanted) {
            prop_assert_eq!(closeness, Closeness::Together);
            prop_assert_eq!(places, (first..first + quantity).collect::<Vec<_>>());
            return Ok(());
        }
        let (low, high) = (chosen[0].row, chosen[wanted - 1].row);
        let spread = high - low + 1;
        let near = spread <= NEIGHBOURING_ROWS_MAX && chosen[0].area == chosen[wanted - 1].area;
        prop_assert_eq!(closeness, if near { Closeness::Neighbouring } else { Closeness::Apart });
        let pieces: Vec<usize> = chosen.chunk_by(|a, b| a.row == b.row && a.number + 1 == b.number).map(<[_]>::len).collect();
        let (rows_needed, pieces_needed) = split(&rows, wanted).expect("there are enough seats");
        prop_assert_eq!(pieces.len(), pieces_needed, "no more pieces than needed: {:?}", pieces);
        prop_assert!(spread <= rows_needed, "no more rows than needed");
        let lengths = lengths(&rows[low..=high]);
        let could_pair = wanted >= 2 * pieces.len() && lengths[pieces.len() - 1] >= 2;
        prop_assert!(!could_pair || pieces.iter().all(|length| *length >= 2), "no person sits alone: {:?} of {:?}", pieces, lengths);
    }
}
