//! Builds area drafts from the seats of a table: gives seats without positions a place by label, orders the rows and splits them at aisles.

use super::super::finding::FindingKind;
use super::super::findings::Findings;
use super::super::order_row::order_and_split;
use super::read_line::{Areas, ParsedArea, ParsedRow};
use crate::catalog::layout::AreaDraft;
use crate::catalog::natural_order::sort_naturally;
use crate::ids::AreaId;

impl Areas {
    pub fn into_drafts(self, mut new_id: impl FnMut() -> AreaId, findings: &mut Findings) -> Vec<AreaDraft> {
        // Rows without positions are drawn below all others.
        let placed = self.list.iter().flat_map(|area| &area.rows).filter(|row| row.lines_without_position.is_empty());
        let lowest = placed.flat_map(|row| &row.seats).map(|seat| seat.y).fold(f32::NEG_INFINITY, f32::max);
        let mut next = if lowest.is_finite() { lowest + 2.0 } else { 0.0 };
        let mut drafts = Vec::with_capacity(self.list.len());
        for area in self.list {
            let id = new_id();
            match area {
                ParsedArea { name, rows, standing: Some((capacity, category)), .. } => {
                    if let Some(row) = rows.first() {
                        let fault = format!("area `{name}` has a capacity and seats");
                        findings.wrong(format!("line {}", row.line), fault);
                    }
                    drafts.push(AreaDraft::general(id, name, capacity, category));
                }
                ParsedArea { name, mut rows, .. } => {
                    place_by_label(&mut rows, &mut next, findings);
                    let rows = rows.into_iter().flat_map(|row| {
                        order_and_split(|| format!("line {}", row.line), &row.labels, row.seats, findings)
                    });
                    drafts.push(AreaDraft::seated(id, name, rows.collect()));
                }
            }
        }
        drafts
    }
}

/// Gives rows without positions a place by their labels, one row below the other. Sorts the rows by name where no row of the area has positions.
fn place_by_label(rows: &mut [ParsedRow], next: &mut f32, findings: &mut Findings) {
    if rows.iter().all(|row| row.lines_without_position.len() == row.seats.len()) {
        sort_naturally(rows, |row| &row.labels.name);
    }
    for row in rows.iter_mut().filter(|row| !row.lines_without_position.is_empty()) {
        if row.lines_without_position.len() < row.seats.len() {
            for line in &row.lines_without_position {
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
        findings.add_merged(|| format!("line {}", row.line), FindingKind::Assumed, detail);
    }
    *next += 1.0;
}
