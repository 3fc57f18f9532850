//! Separates blocks of one zone that each start at row 1, seat 1, so that no two seats of the zone have the same row and seat label.

use std::collections::{BTreeMap, BTreeSet};

use super::super::finding::FindingKind;
use super::super::findings::Findings;
use super::ParsedRow;
use crate::catalog::layout::{ROW_NAME_CHARS_MAX, SEAT_LABEL_CHARS_MAX, TICKET_LABEL_CHARS_MAX};

/// Rows in which no two seats have the same row and seat label.
#[derive(Default)]
struct Block {
    taken: BTreeSet<(String, String)>,
    /// The middle position of each row.
    middles: Vec<(f32, f32)>,
}

/// The rows with labels that are unique in their zone: the row names of a second, third, … block get its number.
pub(super) fn separate_blocks(field: &str, mut rows: Vec<ParsedRow>, findings: &mut Findings) -> Vec<ParsedRow> {
    rows.iter_mut().for_each(|row| number_repeated_labels(row, findings));
    refuse_repeated_seats(&rows, findings);
    let mut blocks: Vec<Block> = Vec::new();
    for row in &mut rows {
        let key = |label: &str| (shown_label(row).to_owned(), label.to_owned());
        let fits = |block: &Block| row.seats.iter().all(|(seat, _)| !block.taken.contains(&key(&seat.label)));
        let middle = middle(row);
        let distance = |block: &Block| {
            let to = |other: &(f32, f32)| (other.0 - middle.0).hypot(other.1 - middle.1);
            block.middles.iter().map(to).fold(f32::INFINITY, f32::min)
        };
        // The nearest block without these labels, so that the rows of a block are close together in the hall.
        let nearest = blocks
            .iter()
            .enumerate()
            .filter(|(_, block)| fits(block))
            .min_by(|one, other| distance(one.1).total_cmp(&distance(other.1)))
            .map(|(at, _)| at);
        let at = nearest.unwrap_or_else(|| {
            blocks.push(Block::default());
            blocks.len() - 1
        });
        let labels: Vec<_> = row.seats.iter().map(|(seat, _)| key(&seat.label)).collect();
        let is_first = blocks[at].middles.is_empty();
        blocks[at].taken.extend(labels);
        blocks[at].middles.push(middle);
        if at > 0 {
            rename(row, at + 1);
            if is_first {
                let detail = format!(
                    "rows and seats of this zone have the same labels as others in it: a block begins here, and its rows are called like `{}`",
                    shown_label(row)
                );
                findings.add(row.path.clone(), FindingKind::Changed, detail);
            }
        }
    }
    if blocks.len() > 1 {
        let detail = format!("the zone was separated into {} blocks by the positions of their rows", blocks.len());
        findings.add(field, FindingKind::Assumed, detail);
    }
    rows
}

/// The text of the row on a ticket.
fn shown_label(row: &ParsedRow) -> &str {
    row.labels.label.as_deref().unwrap_or(&row.labels.name)
}

fn rename(row: &mut ParsedRow, block: usize) {
    let suffix = format!(" (block {block})");
    row.labels.name = suffixed(&row.labels.name, &suffix, ROW_NAME_CHARS_MAX);
    row.labels.label = row.labels.label.take().map(|label| suffixed(&label, &suffix, TICKET_LABEL_CHARS_MAX));
}

/// The text with a suffix, shortened so that both fit.
fn suffixed(text: &str, suffix: &str, max: usize) -> String {
    let kept: String = text.chars().take(max - suffix.chars().count()).collect();
    format!("{}{suffix}", kept.trim_end())
}

/// Numbers the seats of a row with one label, where they differ in guid or position.
fn number_repeated_labels(row: &mut ParsedRow, findings: &mut Findings) {
    let mut taken: BTreeSet<String> = row.seats.iter().map(|(seat, _)| seat.label.clone()).collect();
    let mut seen: BTreeMap<String, (f32, f32, bool)> = BTreeMap::new();
    for (at, (seat, guid)) in row.seats.iter_mut().enumerate() {
        let Some((x, y, has_guid)) = seen.insert(seat.label.clone(), (seat.x, seat.y, *guid)) else { continue };
        if (x, y) == (seat.x, seat.y) && !(has_guid && *guid) {
            // The same seat listed twice: `refuse_repeated_seats` reports it.
            continue;
        }
        let label = (2..).map(|number| suffixed(&seat.label, &format!(" ({number})"), SEAT_LABEL_CHARS_MAX));
        let Some(label) = label.into_iter().find(|label| taken.insert(label.clone())) else { continue };
        let detail = format!("another seat of the row is called `{}`: this one is called `{label}`", seat.label);
        findings.add(format!("{}.seats[{at}].seat_number", row.path), FindingKind::Changed, detail);
        seat.label = label;
    }
}

/// The position of a seat as bits, and whether it has a guid.
type SeatIdentity = (u32, u32, bool);

/// Reports a seat with the labels and the position of another seat, unless both have a guid.
fn refuse_repeated_seats(rows: &[ParsedRow], findings: &mut Findings) {
    let mut seen: BTreeMap<(&str, &str), Vec<SeatIdentity>> = BTreeMap::new();
    for row in rows {
        for (at, (seat, guid)) in row.seats.iter().enumerate() {
            let others = seen.entry((shown_label(row), &seat.label)).or_default();
            let here = (seat.x.to_bits(), seat.y.to_bits());
            if others.iter().any(|(x, y, other)| (*x, *y) == here && !(*other && *guid)) {
                let fault = format!("row `{}` of this zone has another seat `{}`", shown_label(row), seat.label);
                findings.wrong(format!("{}.seats[{at}].seat_number", row.path), fault);
            }
            others.push((here.0, here.1, *guid));
        }
    }
}

fn middle(row: &ParsedRow) -> (f32, f32) {
    let count = row.seats.len().max(1) as f32;
    let sum = row.seats.iter().fold((0.0, 0.0), |sum, (seat, _)| (sum.0 + seat.x / count, sum.1 + seat.y / count));
    (sum.0, sum.1)
}
