//! Tests the order of seats in rows of every direction and shape, the aisles, and the steps of the search for the shortest path.

use super::*;

fn points(text: &[(f32, f32)]) -> Vec<Point> {
    text.iter().map(|(x, y)| Point { x: *x, y: *y }).collect()
}

/// Seat number `at` of `count` on an arc of `degrees`.
fn arc(at: usize, count: usize, degrees: f32) -> (f32, f32) {
    let angle = (degrees * (at as f32 / (count - 1) as f32) - degrees / 2.0 - 90.0).to_radians();
    (500.0 + 100.0 * angle.cos(), 300.0 + 100.0 * angle.sin())
}

#[test]
fn rows_of_any_direction_and_curvature_are_ordered_by_position() {
    let shuffle = |count: usize| (0..count).map(move |at| (at * 7 + 3) % count);
    for (degrees, ascending) in [
        (0.0_f32, true),
        (30.0, true),
        (45.0, true),
        (80.0, true),
        (90.0, true),
        (135.0, false),
        (180.0, false),
        (225.0, false),
        (270.0, false),
        (315.0, true),
    ] {
        for (left, front, pitch) in [(0.0, 0.0, 1.0), (-250.5, 730.25, 20.0), (9_000.0, -40.0, 0.5)] {
            let (sin, cos) = degrees.to_radians().sin_cos();
            let row: Vec<usize> = shuffle(20).collect();
            let at = |at: &usize| (left + *at as f32 * pitch * cos, front + *at as f32 * pitch * sin);
            let seats: Vec<(f32, f32)> = row.iter().map(at).collect();
            let order = order_by_position(&points(&seats)).unwrap();
            let numbers: Vec<usize> = order.iter().map(|at| row[*at]).collect();
            let expected = if ascending { (0..20).collect() } else { (0..20).rev().collect::<Vec<_>>() };
            assert_eq!(numbers, expected, "{degrees}° from {left},{front}");
        }
    }
    for degrees in [20.0, 90.0, 170.0, 240.0, 300.0] {
        let row: Vec<usize> = shuffle(24).collect();
        let seats: Vec<(f32, f32)> = row.iter().map(|at| arc(*at, 24, degrees)).collect();
        let order = order_by_position(&points(&seats)).unwrap();
        let numbers: Vec<usize> = order.iter().map(|at| row[*at]).collect();
        let steps = numbers.windows(2).all(|pair| pair[0].abs_diff(pair[1]) == 1);
        assert!(steps, "an arc of {degrees}°: {numbers:?}");
    }
}

#[test]
fn staggered_seats_of_a_diagonal_row_are_ordered_along_the_row() {
    for (degrees, ascending) in [(45.0_f32, true), (-45.0, true), (135.0, false)] {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let seat = |at: usize| {
            let (along, across) = (at as f32, if at.is_multiple_of(2) { 0.6 } else { -0.6 });
            (300.0 + along * cos - across * sin, 200.0 + along * sin + across * cos)
        };
        let seats: Vec<(f32, f32)> = (0..16).map(|at| seat(at * 7 % 16)).collect();
        let order = order_by_position(&points(&seats)).unwrap();
        let numbers: Vec<usize> = order.iter().map(|at| at * 7 % 16).collect();
        let expected = if ascending { (0..16).collect() } else { (0..16).rev().collect::<Vec<_>>() };
        assert_eq!(numbers, expected, "{degrees}°");
    }
}

#[test]
fn order_runs_left_to_right_or_front_to_back() {
    assert_eq!(order_by_position(&points(&[(9.0, 0.0), (1.0, 0.0), (5.0, 0.0)])), Some(vec![1, 2, 0]));
    assert_eq!(order_by_position(&points(&[(0.0, 9.0), (0.0, 1.0), (0.0, 5.0)])), Some(vec![1, 2, 0]));
    assert_eq!(order_by_position(&points(&[(0.0, 0.0), (0.0, 0.0)])), None);
    assert_eq!(order_by_position(&points(&[(3.0, 4.0)])), Some(vec![0]));
    assert_eq!(order_by_position(&points(&[(0.0, 1.0), (0.0, 1.0), (0.0, 0.0)])), Some(vec![2, 0, 1]));
    assert_eq!(order_by_position(&[]), None);
    // A hair's breadth to the left on the way to the back is still front to back.
    assert_eq!(order_by_position(&points(&[(0.0, 0.0), (-1e-7, 1.0), (-2e-7, 2.0)])), Some(vec![0, 1, 2]));
    // A horseshoe runs left to right, in whichever direction it is listed.
    let horseshoe: Vec<(f32, f32)> = (0..24).map(|at| arc(at, 24, 280.0)).collect();
    let reversed: Vec<(f32, f32)> = horseshoe.iter().rev().copied().collect();
    assert_eq!(order_by_position(&points(&horseshoe)), Some((0..24).collect()));
    assert_eq!(order_by_position(&points(&reversed)), Some((0..24).rev().collect()));
}

#[test]
fn gap_of_more_than_one_and_three_quarters_of_the_median_is_an_aisle() {
    for (gaps, expected) in [
        (&[][..], &[0][..]),
        (&[5.0], &[0]),
        (&[1.0, 1.0, 1.0], &[0]),
        (&[4.0, 4.0, 7.0], &[0]),
        (&[4.0, 4.0, 7.5], &[0, 3]),
        (&[40.0, 40.0, 69.0], &[0]),
        (&[40.0, 71.0, 40.0], &[0, 2]),
        // Of an even number of gaps the lower of the middle two counts.
        (&[4.0, 7.0], &[0]),
        (&[4.0, 8.0], &[0, 2]),
        (&[4.0, 8.0, 8.0, 8.0, 15.0], &[0, 5]),
        (&[9.0, 1.0, 9.0, 1.0, 1.0], &[0, 1, 3]),
        (&[0.0, 0.0, 5.0], &[0]),
    ] {
        let mut seats = vec![(-3.0, 2.0)];
        for gap in gaps {
            let (x, y) = *seats.last().unwrap();
            seats.push((x + gap, y));
        }
        assert_eq!(part_starts(&points(&seats)), expected, "{gaps:?}");
    }
}

#[test]
fn nearest_seat_is_found_in_every_direction() {
    for (here, others, expected) in [
        ((0.0, 0.0), &[(3.0, 4.0), (-3.0, 1.0)][..], 1),
        ((5.0, 0.0), &[(-5.0, 0.0), (6.0, 0.0)], 1),
        ((0.0, 5.0), &[(0.0, -5.0), (0.0, 6.0)], 1),
        ((0.0, 0.0), &[(-9.0, 0.0), (1.0, 0.0)], 1),
        ((0.0, 0.0), &[(0.0, -9.0), (0.0, 1.0)], 1),
        ((0.0, 0.0), &[(9.0, 0.0), (1.0, 1.0)], 1),
        ((0.0, 0.0), &[(1.0, 9.0), (2.0, 0.0)], 1),
        ((0.0, 0.0), &[(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0)], 0),
        ((1.0, 1.0), &[(9.0, 9.0), (4.0, 4.0), (2.0, 2.0)], 2),
    ] {
        let left: Vec<usize> = (0..others.len()).collect();
        assert_eq!(nearest(&points(others), points(&[here])[0], &left), expected, "{here:?} {others:?}");
    }
    let line = points(&[(0.0, 0.0), (3.0, 0.0), (1.0, 0.0), (2.0, 0.0)]);
    assert_eq!(nearest_neighbour_path(&line, 0), [0, 2, 3, 1]);
    assert_eq!(nearest_neighbour_path(&line, 3), [3, 1, 2, 0]);
    assert_eq!((path_length(&line, &[0, 2, 3, 1]), listed_length(&line)), (3.0, 6.0));
    for (one, other) in [((1.0, 2.0), (4.0, 6.0)), ((-1.0, -2.0), (2.0, 2.0)), ((7.0, 1.0), (7.0, -4.0))] {
        assert_eq!(distance(points(&[one])[0], points(&[other])[0]), 5.0);
    }
}

#[test]
fn path_is_cut_at_its_longest_step_only() {
    for pitch in [0.01, 1.0, 100.0] {
        let line: Vec<(f32, f32)> = (0..4).map(|at| (at as f32 * pitch, 0.0)).collect();
        for (path, expected) in [
            ([2, 1, 0, 3], [3, 2, 1, 0]),
            ([1, 2, 3, 0], [0, 1, 2, 3]),
            ([0, 3, 2, 1], [3, 2, 1, 0]),
            // The step that closes the ring is the longest.
            ([0, 1, 2, 3], [0, 1, 2, 3]),
        ] {
            assert_eq!(cut_at_longest_step(&points(&line), path.to_vec()), expected, "{path:?} {pitch}");
        }
        let square = points(&[(0.0, 0.0), (pitch, 0.0), (pitch, pitch), (0.0, pitch)]);
        assert_eq!(cut_at_longest_step(&square, vec![0, 1, 2, 3]), [0, 1, 2, 3]);
    }
}

#[test]
fn two_sides_of_a_table_are_separate_parts() {
    let table: Vec<(f32, f32)> = (0..8).map(|at| ((at % 2) as f32 * 60.0, (at / 2) as f32 * 25.0)).collect();
    let order = order_by_position(&points(&table)).unwrap();
    let sides: Vec<Point> = order.iter().map(|at| points(&table)[*at]).collect();
    assert_eq!(part_starts(&sides), [0, 4]);
    assert!(sides[..4].iter().all(|seat| seat.x == sides[0].x));
}

#[test]
fn listed_order_is_replaced_only_by_a_shorter_path() {
    for (seats, better) in [
        (vec![(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)], false),
        (vec![(2.0, 0.0), (1.0, 0.0), (0.0, 0.0)], false),
        (vec![(1.0, 0.0), (2.0, 0.0), (0.0, 0.0)], true),
        (vec![(1.0, 0.0), (2.0, 0.0), (4.0, 0.0), (3.0, 0.0)], true),
        (vec![(1.0, 0.0), (1.0, 0.0), (0.0, 0.0)], false),
        (vec![(1.0, 0.0), (0.0, 0.0), (1.0, 0.0), (2.0, 0.0)], false),
        (vec![(1.0, 0.0), (0.0, 0.0)], false),
        (vec![(5.0, 5.0)], false),
    ] {
        assert_eq!(better_order(&points(&seats)).is_some(), better, "{seats:?}");
    }
}
