//! Orders the seats of one imported row by position, else by label, and splits the row at its aisles.

use super::finding::FindingKind;
use super::findings::Findings;
use crate::catalog::layout::{Point, RowDraft, SEATS_PER_ROW_MAX, Seat};
use crate::catalog::natural_order::sort_naturally;
use crate::catalog::seat_order::{order_by_position, part_starts};

/// The name of a row and its ticket labels.
#[derive(Debug, Clone, Default)]
pub(super) struct RowLabels {
    pub name: String,
    pub label: Option<String>,
    pub seat_label: Option<String>,
}

/// Orders the seats by position, or by label if all positions are equal. Splits the row at its aisles; the parts have the same name.
pub(super) fn order_and_split(
    at: impl Fn() -> String,
    labels: &RowLabels,
    mut seats: Vec<Seat>,
    findings: &mut Findings,
) -> Vec<RowDraft> {
    if seats.is_empty() {
        return Vec::new();
    }
    // Checked before ordering, whose time grows with the square of the length.
    if seats.len() > SEATS_PER_ROW_MAX {
        let (name, count) = (&labels.name, seats.len());
        findings.wrong(at(), format!("row `{name}` has {count} seats; at most {SEATS_PER_ROW_MAX} are allowed"));
        return Vec::new();
    }
    let listed: Vec<String> = seats.iter().map(|seat| seat.label.clone()).collect();
    sort_naturally(&mut seats, |seat| &seat.label);
    let points: Vec<Point> = seats.iter().map(|seat| Point { x: seat.x, y: seat.y }).collect();
    match order_by_position(&points) {
        Some(order) => {
            let mut slots: Vec<Option<Seat>> = seats.into_iter().map(Some).collect();
            seats = order.into_iter().filter_map(|at| slots[at].take()).collect();
            let moved =
                |seats: &mut dyn Iterator<Item = &Seat>| seats.zip(&listed).any(|(seat, label)| seat.label != *label);
            // A row that is listed in reverse has the same neighbours.
            if moved(&mut seats.iter()) && moved(&mut seats.iter().rev()) {
                findings.add_merged(
                    at,
                    FindingKind::Assumed,
                    "the seats of the row are ordered by their positions, not as listed",
                );
            }
        }
        None => {
            let detail = "the seats have no positions of their own: neighbours and the drawing are assumed by the order of their labels";
            findings.add_merged(at, FindingKind::Assumed, detail);
        }
    }
    let points: Vec<Point> = seats.iter().map(|seat| Point { x: seat.x, y: seat.y }).collect();
    let mut rows: Vec<RowDraft> = Vec::new();
    let starts: Vec<usize> = part_starts(&points).into_iter().filter(|start| *start < seats.len()).collect();
    for start in starts.into_iter().rev() {
        let row = RowDraft::new(labels.name.clone(), seats.split_off(start));
        rows.push(RowDraft { label: labels.label.clone(), seat_label: labels.seat_label.clone(), ..row });
    }
    rows.reverse();
    rows
}
