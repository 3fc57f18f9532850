//! Orders the seats of a row by their positions, so that neighbours in the list are neighbours in the hall, and parts it at aisles.
//!
//! A row may be listed in any order (odd and even seats, text-sorted labels) and may lie in any direction. Its seats are projected on the row's main axis;
//! where that folds the row (a horseshoe, a table with two sides) the shortest walk from seat to seat is taken instead.
//! Never: an order by positions that nobody gave (all seats in one point).

use super::layout::Point;

/// A gap of so many times a row's usual distance between seats is an aisle: seats on its two sides are not neighbours.
pub const AISLE: f32 = 1.75;
/// A walk along a straight or slightly curved row is at most so much longer than the row: half a circle is 1.57.
const FOLDED: f32 = 1.6;
/// How many seats a walk is tried from.
const STARTS: usize = 4;

/// The seats' indices in the order of their positions, seats in one point as they are listed; none where all are in one point.
#[must_use]
pub fn by_position(seats: &[Point]) -> Option<Vec<usize>> {
    let start = *seats.first()?;
    if seats.len() > 1 && seats.iter().all(|at| *at == start) {
        return None;
    }
    let projected = along_axis(seats);
    let (first, last) = (projected.first().copied()?, projected.last().copied()?);
    let extent = distance(seats[first], seats[last]);
    let length = walk_length(seats, &projected);
    if length <= extent * FOLDED {
        return Some(projected);
    }
    let shortest = shortest_walk(seats, first, last);
    Some(if walk_length(seats, &shortest) < length * 0.99 { shortest } else { projected })
}

/// The order by position where it is safe to prefer it to the listed one: no two seats share a point, and the listed order is longer to walk.
#[must_use]
pub fn better_order(seats: &[Point]) -> Option<Vec<usize>> {
    let mut points: Vec<(u32, u32)> = seats.iter().map(|at| (at.x.to_bits(), at.y.to_bits())).collect();
    points.sort_unstable();
    points.dedup();
    if points.len() < seats.len() || seats.len() < 3 {
        return None;
    }
    let order = by_position(seats)?;
    (walk_length(seats, &order) < listed_length(seats) * 0.999).then_some(order)
}

/// Where the parts of an ordered row begin: at 0 and after each aisle.
#[must_use]
pub fn parts(seats: &[Point]) -> Vec<usize> {
    let gaps: Vec<f32> = seats.windows(2).map(|pair| distance(pair[0], pair[1])).collect();
    let mut sorted = gaps.clone();
    sorted.sort_by(f32::total_cmp);
    let usual = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0.0);
    let aisle = |gap: f32| usual > 0.0 && gap > usual * AISLE;
    let after = gaps.iter().enumerate().filter(|(_, gap)| aisle(**gap)).map(|(at, _)| at + 1);
    std::iter::once(0).chain(after).collect()
}

/// The order of the projections on the axis along which the seats are spread most; left to right, or from the front where the row runs that way.
fn along_axis(seats: &[Point]) -> Vec<usize> {
    let count = seats.len().max(1) as f64;
    let (mut x, mut y) = (0.0, 0.0);
    for seat in seats {
        x += f64::from(seat.x) / count;
        y += f64::from(seat.y) / count;
    }
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for seat in seats {
        let (dx, dy) = (f64::from(seat.x) - x, f64::from(seat.y) - y);
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
    let (mut ax, mut ay) = (angle.cos(), angle.sin());
    if ax < -1e-6 || (ax.abs() <= 1e-6 && ay < 0.0) {
        (ax, ay) = (-ax, -ay);
    }
    let projection = |at: usize| (f64::from(seats[at].x) - x) * ax + (f64::from(seats[at].y) - y) * ay;
    let mut order: Vec<usize> = (0..seats.len()).collect();
    order.sort_by(|a, b| projection(*a).total_cmp(&projection(*b)));
    order
}

/// The shortest of some walks that always go on to the nearest seat left. Each walk's end is the start of another, since it tends to be an end of the row.
fn shortest_walk(seats: &[Point], first: usize, last: usize) -> Vec<usize> {
    let mut best: Vec<usize> = Vec::new();
    let mut length = f32::INFINITY;
    for start in [first, last] {
        let mut start = start;
        for _ in 0..STARTS / 2 {
            let walk = cut_at_longest(seats, walk_from(seats, start));
            let walked = walk_length(seats, &walk);
            start = walk.last().copied().unwrap_or(start);
            if walked < length {
                (best, length) = (walk, walked);
            }
        }
    }
    // From left to right, or from the front, as far as a folded row has such a direction.
    if let (Some(&first), Some(&last)) = (best.first(), best.last())
        && (seats[last].x, seats[last].y) < (seats[first].x, seats[first].y)
    {
        best.reverse();
    }
    best
}

/// The walk as a round, cut at its longest step: a walk that began in the middle of a horseshoe leaps from one end to the other.
fn cut_at_longest(seats: &[Point], mut walk: Vec<usize>) -> Vec<usize> {
    let closing = walk.last().zip(walk.first()).map_or(0.0, |(last, first)| distance(seats[*last], seats[*first]));
    let mut longest = (closing, 0);
    for (at, pair) in walk.windows(2).enumerate() {
        let step = distance(seats[pair[0]], seats[pair[1]]);
        if step > longest.0 * 1.001 {
            longest = (step, at + 1);
        }
    }
    walk.rotate_left(longest.1);
    walk
}

fn walk_from(seats: &[Point], start: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..seats.len()).filter(|at| *at != start).collect();
    let mut walk = vec![start];
    let mut here = start;
    while !left.is_empty() {
        here = left.remove(nearest(seats, seats[here], &left));
        walk.push(here);
    }
    walk
}

/// Which of the seats `left` is the nearest, of equals the first. Squares are compared without their roots: for the 200,000 seats of a plan in folded rows
/// of 1,000 this loop runs 400 million times.
fn nearest(seats: &[Point], here: Point, left: &[usize]) -> usize {
    let mut nearest = (f32::INFINITY, 0);
    for (at, seat) in left.iter().enumerate() {
        let (x, y) = (seats[*seat].x - here.x, seats[*seat].y - here.y);
        let square = x * x + y * y;
        if square < nearest.0 {
            nearest = (square, at);
        }
    }
    nearest.1
}

fn walk_length(seats: &[Point], order: &[usize]) -> f32 {
    order.windows(2).map(|pair| distance(seats[pair[0]], seats[pair[1]])).sum()
}

fn listed_length(seats: &[Point]) -> f32 {
    seats.windows(2).map(|pair| distance(pair[0], pair[1])).sum()
}

fn distance(one: Point, other: Point) -> f32 {
    (one.x - other.x).hypot(one.y - other.y)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(text: &[(f32, f32)]) -> Vec<Point> {
        text.iter().map(|(x, y)| Point { x: *x, y: *y }).collect()
    }

    /// A seat of a circle's part, `at` of `count` over `degrees`.
    fn arc(at: usize, count: usize, degrees: f32) -> (f32, f32) {
        let angle = (degrees * (at as f32 / (count - 1) as f32) - degrees / 2.0 - 90.0).to_radians();
        (500.0 + 100.0 * angle.cos(), 300.0 + 100.0 * angle.sin())
    }

    #[test]
    fn rows_of_every_direction_and_bend_are_ordered() {
        let shuffle = |count: usize| (0..count).map(move |at| (at * 7 + 3) % count);
        for degrees in [0.0_f32, 30.0, 45.0, 90.0, 135.0, 180.0, 270.0] {
            let (sin, cos) = degrees.to_radians().sin_cos();
            let row: Vec<usize> = shuffle(20).collect();
            let seats: Vec<(f32, f32)> = row.iter().map(|at| (*at as f32 * cos, *at as f32 * sin)).collect();
            let order = by_position(&points(&seats)).unwrap();
            let numbers: Vec<usize> = order.iter().map(|at| row[*at]).collect();
            let steps = numbers.windows(2).all(|pair| pair[0].abs_diff(pair[1]) == 1);
            assert!(steps, "{degrees}°: {numbers:?}");
        }
        for degrees in [20.0, 90.0, 170.0, 240.0, 300.0] {
            let row: Vec<usize> = shuffle(24).collect();
            let seats: Vec<(f32, f32)> = row.iter().map(|at| arc(*at, 24, degrees)).collect();
            let order = by_position(&points(&seats)).unwrap();
            let numbers: Vec<usize> = order.iter().map(|at| row[*at]).collect();
            let steps = numbers.windows(2).all(|pair| pair[0].abs_diff(pair[1]) == 1);
            assert!(steps, "an arc of {degrees}°: {numbers:?}");
        }
    }

    #[test]
    fn the_order_runs_from_left_to_right_or_from_the_front() {
        assert_eq!(by_position(&points(&[(9.0, 0.0), (1.0, 0.0), (5.0, 0.0)])), Some(vec![1, 2, 0]));
        assert_eq!(by_position(&points(&[(0.0, 9.0), (0.0, 1.0), (0.0, 5.0)])), Some(vec![1, 2, 0]));
        assert_eq!(by_position(&points(&[(0.0, 0.0), (0.0, 0.0)])), None);
        assert_eq!(by_position(&points(&[(3.0, 4.0)])), Some(vec![0]));
    }

    #[test]
    fn seats_across_a_table_are_not_neighbours_along_it() {
        let table: Vec<(f32, f32)> = (0..8).map(|at| ((at % 2) as f32 * 60.0, (at / 2) as f32 * 25.0)).collect();
        let order = by_position(&points(&table)).unwrap();
        let sides: Vec<Point> = order.iter().map(|at| points(&table)[*at]).collect();
        assert_eq!(parts(&sides), [0, 4]);
        assert!(sides[..4].iter().all(|seat| seat.x == sides[0].x));
    }

    #[test]
    fn a_listed_order_is_kept_where_it_is_as_good() {
        for (seats, better) in [
            (vec![(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)], false),
            (vec![(2.0, 0.0), (1.0, 0.0), (0.0, 0.0)], false),
            (vec![(1.0, 0.0), (2.0, 0.0), (0.0, 0.0)], true),
            (vec![(1.0, 0.0), (1.0, 0.0), (0.0, 0.0)], false),
            (vec![(5.0, 5.0)], false),
        ] {
            assert_eq!(better_order(&points(&seats)).is_some(), better, "{seats:?}");
        }
    }
}
