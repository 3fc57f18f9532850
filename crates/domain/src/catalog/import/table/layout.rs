//! From the lines of a table to areas: seats without positions are placed by their labels, rows are ordered and parted.

use super::super::finding::{FindingKind, Findings};
use super::super::rows::ordered;
use super::seats::{AreaRead, Areas, RowRead};
use crate::catalog::layout::AreaDraft;
use crate::catalog::natural::sort_naturally;
use crate::ids::AreaId;

impl Areas {
    pub fn into_drafts(self, mut new_id: impl FnMut() -> AreaId, findings: &mut Findings) -> Vec<AreaDraft> {
        // What has no position is drawn below what has one.
        let placed = self.list.iter().flat_map(|area| &area.rows).filter(|row| row.unplaced.is_empty());
        let lowest = placed.flat_map(|row| &row.seats).map(|seat| seat.y).fold(f32::NEG_INFINITY, f32::max);
        let mut next = if lowest.is_finite() { lowest + 2.0 } else { 0.0 };
        let mut drafts = Vec::with_capacity(self.list.len());
        for area in self.list {
            let id = new_id();
            match area {
                AreaRead { name, rows, standing: Some((capacity, category)), .. } => {
                    if let Some(row) = rows.first() {
                        let fault = format!("area `{name}` has a capacity and seats");
                        findings.wrong(format!("line {}", row.line), fault);
                    }
                    drafts.push(AreaDraft::general(id, name, capacity, category));
                }
                AreaRead { name, mut rows, .. } => {
                    place(&mut rows, &mut next, findings);
                    let rows = rows
                        .into_iter()
                        .flat_map(|row| ordered(|| format!("line {}", row.line), &row.words, row.seats, findings));
                    drafts.push(AreaDraft::seated(id, name, rows.collect()));
                }
            }
        }
        drafts
    }
}

/// Gives rows without positions places by their labels, one row below the other; rows come by name where no row of the area has positions.
fn place(rows: &mut [RowRead], next: &mut f32, findings: &mut Findings) {
    if rows.iter().all(|row| row.unplaced.len() == row.seats.len()) {
        sort_naturally(rows, |row| &row.words.name);
    }
    for row in rows.iter_mut().filter(|row| !row.unplaced.is_empty()) {
        if row.unplaced.len() < row.seats.len() {
            for line in &row.unplaced {
                findings.wrong(format!("line {line}, field `x`"), "other seats of this row have a position");
            }
            continue;
        }
        sort_naturally(&mut row.seats, |seat| &seat.label);
        for (at, seat) in row.seats.iter_mut().enumerate() {
            (seat.x, seat.y) = (at as f32, *next);
        }
        *next += 1.0;
        let detail = "the file gives no positions: neighbours and the drawing are assumed by the order of the labels";
        findings.each(|| format!("line {}", row.line), FindingKind::Assumed, detail);
    }
    *next += 1.0;
}
