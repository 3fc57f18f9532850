//! From the seats of a row, as a file lists them, to rows whose neighbours are neighbours in the hall.

use super::finding::{FindingKind, Findings};
use crate::catalog::layout::{MAX_SEATS_PER_ROW, Point, RowDraft, Seat};
use crate::catalog::natural::sort_naturally;
use crate::catalog::row_order::{by_position, parts};

/// What a row is called.
#[derive(Debug, Clone, Default)]
pub(super) struct RowWords {
    pub name: String,
    pub label: Option<String>,
    pub seat_label: Option<String>,
}

/// The row in parts between which there are aisles; all parts keep its name. Seats are ordered by position where the file gives any, else by label.
pub(super) fn ordered(
    at: impl Fn() -> String,
    words: &RowWords,
    mut seats: Vec<Seat>,
    findings: &mut Findings,
) -> Vec<RowDraft> {
    if seats.is_empty() {
        return Vec::new();
    }
    // The time to order a row grows with the square of its length.
    if seats.len() > MAX_SEATS_PER_ROW {
        let (name, count) = (&words.name, seats.len());
        findings.wrong(at(), format!("row `{name}` has {count} seats; at most {MAX_SEATS_PER_ROW} are allowed"));
        return Vec::new();
    }
    let listed: Vec<String> = seats.iter().map(|seat| seat.label.clone()).collect();
    sort_naturally(&mut seats, |seat| &seat.label);
    let points: Vec<Point> = seats.iter().map(|seat| Point { x: seat.x, y: seat.y }).collect();
    match by_position(&points) {
        Some(order) => {
            let mut slots: Vec<Option<Seat>> = seats.into_iter().map(Some).collect();
            seats = order.into_iter().filter_map(|at| slots[at].take()).collect();
            let moved =
                |seats: &mut dyn Iterator<Item = &Seat>| seats.zip(&listed).any(|(seat, label)| seat.label != *label);
            // A row listed from its other end has the same neighbours.
            if moved(&mut seats.iter()) && moved(&mut seats.iter().rev()) {
                findings.each(
                    at,
                    FindingKind::Assumed,
                    "the seats of the row are ordered by their positions, not as listed",
                );
            }
        }
        None => {
            let detail = "the seats have no positions of their own: neighbours and the drawing are assumed by the order of their labels";
            findings.each(at, FindingKind::Assumed, detail);
        }
    }
    let points: Vec<Point> = seats.iter().map(|seat| Point { x: seat.x, y: seat.y }).collect();
    let mut rows: Vec<RowDraft> = Vec::new();
    let starts: Vec<usize> = parts(&points).into_iter().filter(|start| *start < seats.len()).collect();
    for start in starts.into_iter().rev() {
        let row = RowDraft::new(words.name.clone(), seats.split_off(start));
        rows.push(RowDraft { label: words.label.clone(), seat_label: words.seat_label.clone(), ..row });
    }
    rows.reverse();
    rows
}
