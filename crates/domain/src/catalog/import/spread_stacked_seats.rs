//! Gives rows whose seats all have the same position a grid of positions below everything else, as for rows without positions.

use std::collections::BTreeMap;

use super::finding::FindingKind;
use super::findings::Findings;
use crate::catalog::layout::{AreaDraft, AreaDraftKind, RowDraft, Seat};
use crate::catalog::natural_order::sort_naturally;

/// Gives each seat of such rows a position of its own, in the order of the seats.
pub(super) fn spread_stacked_seats(areas: &mut [AreaDraft], findings: &mut Findings) {
    let pitch = pitch(areas);
    let mut left = f32::INFINITY;
    let mut lowest = f32::NEG_INFINITY;
    for rows in areas.iter().filter_map(seated) {
        let stacked = stacked_rows(rows);
        for seat in rows.iter().zip(&stacked).filter(|(_, stacked)| !**stacked).flat_map(|(row, _)| &row.seats) {
            left = left.min(seat.x);
            lowest = lowest.max(seat.y);
        }
    }
    let left = if left.is_finite() { left } else { 0.0 };
    let mut next = if lowest.is_finite() { lowest + 2.0 * pitch } else { 0.0 };
    for area in areas {
        let name = area.name.clone();
        let AreaDraftKind::Seated { rows } = &mut area.kind else { continue };
        let mut stacked = stacked_rows(rows);
        if !stacked.contains(&true) {
            continue;
        }
        if stacked.iter().all(|stacked| *stacked) {
            sort_naturally(rows, |row| &row.name);
        }
        stacked.resize(rows.len(), false);
        for row in rows.iter_mut().zip(&stacked).filter(|(_, stacked)| **stacked).map(|(row, _)| row) {
            for (at, seat) in row.seats.iter_mut().enumerate() {
                (seat.x, seat.y) = (left + at as f32 * pitch, next);
            }
            next += pitch;
        }
        next += pitch;
        let detail = "seats with the same position are drawn side by side, one row below the other";
        findings.add_merged(|| format!("area `{name}`"), FindingKind::Assumed, detail);
    }
}

fn seated(area: &AreaDraft) -> Option<&[RowDraft]> {
    match &area.kind {
        AreaDraftKind::Seated { rows } => Some(rows),
        _ => None,
    }
}

const fn point(seat: &Seat) -> (u32, u32) {
    // Adding 0.0 turns -0.0 into 0.0.
    ((seat.x + 0.0).to_bits(), (seat.y + 0.0).to_bits())
}

/// For each row: true where all of its seats have one position, which another seat of the area has too.
fn stacked_rows(rows: &[RowDraft]) -> Vec<bool> {
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

/// The median distance between neighbours in rows with positions; 1 where there are none.
fn pitch(areas: &[AreaDraft]) -> f32 {
    let rows = areas.iter().filter_map(seated).flatten();
    let gaps =
        rows.flat_map(|row| row.seats.windows(2)).map(|pair| (pair[0].x - pair[1].x).hypot(pair[0].y - pair[1].y));
    let mut gaps: Vec<f32> = gaps.filter(|gap| *gap > 0.0).collect();
    gaps.sort_by(f32::total_cmp);
    gaps.get(gaps.len() / 2).copied().unwrap_or(1.0)
}
