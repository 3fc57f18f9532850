//! Orders the seats of a row by position, so that neighbours in the list are neighbours in the hall, and finds the aisles.
//!
//! A file may list a row in any order (odd and even seats, labels sorted as text), and a row may have any direction. The seats are projected on the main axis
//! of the row; where the projection folds the row (a horseshoe, a table with two sides), the shortest path from seat to seat is used instead.
//! Never: an order by position where all seats have the same position.

use super::layout::Point;

#[cfg(test)]
mod tests;

/// A gap wider than this factor of the median gap of the row is an aisle: the seats on both sides are not neighbours.
const AISLE_GAP_FACTOR: f32 = 1.75;
/// A projection folds a row if its path is longer than this factor of the row's extent; a half circle has 1.57.
const FOLDED_PATH_FACTOR: f32 = 1.6;
/// Nearest-neighbour paths that are tried per row.
const PATHS_TRIED_MAX: usize = 4;

/// The indices of the seats in the order of their positions; seats with equal positions stay as listed. `None` where all positions are equal.
#[must_use]
pub fn order_by_position(seats: &[Point]) -> Option<Vec<usize>> {
    let start = *seats.first()?;
    if seats.len() > 1 && seats.iter().all(|at| *at == start) {
        return None;
    }
    let projected = along_axis(seats);
    let (first, last) = (projected.first().copied()?, projected.last().copied()?);
    let extent = distance(seats[first], seats[last]);
    let length = path_length(seats, &projected);
    if length <= extent * FOLDED_PATH_FACTOR {
        return Some(projected);
    }
    let shortest = shortest_path(seats, first, last);
    Some(if path_length(seats, &shortest) < length * 0.99 { shortest } else { projected })
}

/// The order by position, where it is safe to replace the listed order: all positions differ, and the path in the listed order is longer.
#[must_use]
pub fn better_order(seats: &[Point]) -> Option<Vec<usize>> {
    let mut points: Vec<(u32, u32)> = seats.iter().map(|at| (at.x.to_bits(), at.y.to_bits())).collect();
    points.sort_unstable();
    points.dedup();
    if points.len() < seats.len() || seats.len() < 3 {
        return None;
    }
    let order = order_by_position(seats)?;
    (path_length(seats, &order) < listed_length(seats) * 0.999).then_some(order)
}

/// The indices at which the parts of an ordered row start: 0, and the seat after each aisle.
#[must_use]
pub fn part_starts(seats: &[Point]) -> Vec<usize> {
    let gaps: Vec<f32> = seats.windows(2).map(|pair| distance(pair[0], pair[1])).collect();
    let mut sorted = gaps.clone();
    sorted.sort_by(f32::total_cmp);
    let median = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0.0);
    let aisle = |gap: f32| median > 0.0 && gap > median * AISLE_GAP_FACTOR;
    let after = gaps.iter().enumerate().filter(|(_, gap)| aisle(**gap)).map(|(at, _)| at + 1);
    std::iter::once(0).chain(after).collect()
}

/// The order of the projections on the axis of the largest spread: left to right, or front to back for a row in that direction.
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
    // The angle is at most a quarter turn to either side, so only a row from front to back can have the wrong direction.
    if ax <= 1e-6 && ay < 0.0 {
        (ax, ay) = (-ax, -ay);
    }
    let projection = |at: usize| (f64::from(seats[at].x) - x) * ax + (f64::from(seats[at].y) - y) * ay;
    let mut order: Vec<usize> = (0..seats.len()).collect();
    order.sort_by(|a, b| projection(*a).total_cmp(&projection(*b)));
    order
}

/// The shortest of some nearest-neighbour paths. Each path starts at the end of the one before, since that end tends to be an end of the row.
fn shortest_path(seats: &[Point], first: usize, last: usize) -> Vec<usize> {
    let mut best: Vec<usize> = Vec::new();
    let mut length = f32::INFINITY;
    for start in [first, last] {
        let mut start = start;
        for _ in 0..PATHS_TRIED_MAX / 2 {
            let path = cut_at_longest_step(seats, nearest_neighbour_path(seats, start));
            let tried = path_length(seats, &path);
            start = path.last().copied().unwrap_or(start);
            if tried < length {
                (best, length) = (path, tried);
            }
        }
    }
    // Left to right, or front to back, as far as a folded row has a direction.
    if let (Some(&first), Some(&last)) = (best.first(), best.last())
        && (seats[last].x, seats[last].y) < (seats[first].x, seats[first].y)
    {
        best.reverse();
    }
    best
}

/// Closes the path to a ring and cuts it at its longest step: a path that started in the middle of a horseshoe jumps from one end to the other.
fn cut_at_longest_step(seats: &[Point], mut path: Vec<usize>) -> Vec<usize> {
    let closing = path.last().zip(path.first()).map_or(0.0, |(last, first)| distance(seats[*last], seats[*first]));
    let mut longest = (closing, 0);
    for (at, pair) in path.windows(2).enumerate() {
        let step = distance(seats[pair[0]], seats[pair[1]]);
        if step > longest.0 * 1.001 {
            longest = (step, at + 1);
        }
    }
    path.rotate_left(longest.1);
    path
}

fn nearest_neighbour_path(seats: &[Point], start: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..seats.len()).filter(|at| *at != start).collect();
    let mut path = vec![start];
    let mut here = start;
    while !left.is_empty() {
        here = left.remove(nearest(seats, seats[here], &left));
        path.push(here);
    }
    path
}

/// The index of the nearest seat in `left`; the first of equally near ones. Compares squared distances, since this loop runs 400 million times for a plan of
/// 200,000 seats in folded rows of 1,000.
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

fn path_length(seats: &[Point], order: &[usize]) -> f32 {
    order.windows(2).map(|pair| distance(seats[pair[0]], seats[pair[1]])).sum()
}

fn listed_length(seats: &[Point]) -> f32 {
    seats.windows(2).map(|pair| distance(pair[0], pair[1])).sum()
}

fn distance(one: Point, other: Point) -> f32 {
    (one.x - other.x).hypot(one.y - other.y)
}
