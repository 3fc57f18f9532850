//! Draws rows whose seats all stand in one point as rows without positions are drawn: a grid below everything else.

use std::collections::BTreeMap;

use super::finding::{FindingKind, Findings};
use crate::catalog::layout::{AreaDraft, AreaDraftKind, RowDraft, Seat};
use crate::catalog::natural::sort_naturally;

/// Gives such rows a place for each seat, in the order of the seats.
pub(super) fn spread(areas: &mut [AreaDraft], findings: &mut Findings) {
    let pitch = pitch(areas);
    let mut left = f32::INFINITY;
    let mut lowest = f32::NEG_INFINITY;
    for rows in areas.iter().filter_map(seated) {
        let in_one_point = in_one_point(rows);
        for seat in rows.iter().zip(&in_one_point).filter(|(_, one)| !**one).flat_map(|(row, _)| &row.seats) {
            left = left.min(seat.x);
            lowest = lowest.max(seat.y);
        }
    }
    let left = if left.is_finite() { left } else { 0.0 };
    let mut next = if lowest.is_finite() { lowest + 2.0 * pitch } else { 0.0 };
    for area in areas {
        let name = area.name.clone();
        let AreaDraftKind::Seated { rows } = &mut area.kind else { continue };
        let mut moved = in_one_point(rows);
        if !moved.contains(&true) {
            continue;
        }
        if moved.iter().all(|one| *one) {
            sort_naturally(rows, |row| &row.name);
        }
        moved.resize(rows.len(), false);
        for row in rows.iter_mut().zip(&moved).filter(|(_, one)| **one).map(|(row, _)| row) {
            for (at, seat) in row.seats.iter_mut().enumerate() {
                (seat.x, seat.y) = (left + at as f32 * pitch, next);
            }
            next += pitch;
        }
        next += pitch;
        let detail = "seats that stand in one point are drawn side by side, one row below the other";
        findings.each(|| format!("area `{name}`"), FindingKind::Assumed, detail);
    }
}

fn seated(area: &AreaDraft) -> Option<&[RowDraft]> {
    match &area.kind {
        AreaDraftKind::Seated { rows } => Some(rows),
        _ => None,
    }
}

const fn point(seat: &Seat) -> (u32, u32) {
    // Zero has two signs.
    ((seat.x + 0.0).to_bits(), (seat.y + 0.0).to_bits())
}

/// Which rows have all of their seats in a point where another seat of the area stands too.
fn in_one_point(rows: &[RowDraft]) -> Vec<bool> {
    let mut seats: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for seat in rows.iter().flat_map(|row| &row.seats) {
        *seats.entry(point(seat)).or_default() += 1;
    }
    let shared = |row: &RowDraft| {
        let first = row.seats.first().map(point);
        let one = row.seats.iter().all(|seat| Some(point(seat)) == first);
        one && first.and_then(|first| seats.get(&first)).is_some_and(|count| *count > 1)
    };
    rows.iter().map(shared).collect()
}

/// The usual distance between neighbours in rows with positions; 1 where there are none.
fn pitch(areas: &[AreaDraft]) -> f32 {
    let rows = areas.iter().filter_map(seated).flatten();
    let gaps =
        rows.flat_map(|row| row.seats.windows(2)).map(|pair| (pair[0].x - pair[1].x).hypot(pair[0].y - pair[1].y));
    let mut gaps: Vec<f32> = gaps.filter(|gap| *gap > 0.0).collect();
    gaps.sort_by(f32::total_cmp);
    gaps.get(gaps.len() / 2).copied().unwrap_or(1.0)
}
