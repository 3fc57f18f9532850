//! Tells seats of one zone apart that have the same row and seat labels: several blocks that each count from row 1, seat 1.

use std::collections::{BTreeMap, BTreeSet};

use super::super::finding::{FindingKind, Findings};
use super::RowRead;
use crate::catalog::layout::{ROW_NAME_MAX, SEAT_LABEL_MAX, WORDS_MAX};

/// Rows that may stand together on tickets, since no two of their seats have the same labels.
#[derive(Default)]
struct Block {
    taken: BTreeSet<(String, String)>,
    /// The middle of each row.
    middles: Vec<(f32, f32)>,
}

/// The rows with labels that are distinct in their zone: the rows of a second, third, … block say so in their names.
pub(super) fn told_apart(field: &str, mut rows: Vec<RowRead>, findings: &mut Findings) -> Vec<RowRead> {
    rows.iter_mut().for_each(|row| distinct_in_row(row, findings));
    refuse_twice(&rows, findings);
    let mut blocks: Vec<Block> = Vec::new();
    for row in &mut rows {
        let key = |label: &str| (shown(row).to_owned(), label.to_owned());
        let fits = |block: &Block| row.seats.iter().all(|(seat, _)| !block.taken.contains(&key(&seat.label)));
        let middle = middle(row);
        let distance = |block: &Block| {
            let to = |other: &(f32, f32)| (other.0 - middle.0).hypot(other.1 - middle.1);
            block.middles.iter().map(to).fold(f32::INFINITY, f32::min)
        };
        // The nearest block that has room for these labels, so that a block is what stands together in the hall.
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
                    shown(row)
                );
                findings.add(row.path.clone(), FindingKind::Changed, detail);
            }
        }
    }
    if blocks.len() > 1 {
        let detail = format!("the zone was told apart into {} blocks by the positions of their rows", blocks.len());
        findings.add(field, FindingKind::Assumed, detail);
    }
    rows
}

/// What a ticket says of the row.
fn shown(row: &RowRead) -> &str {
    row.words.label.as_deref().unwrap_or(&row.words.name)
}

fn rename(row: &mut RowRead, block: usize) {
    let suffix = format!(" (block {block})");
    row.words.name = suffixed(&row.words.name, &suffix, ROW_NAME_MAX);
    row.words.label = row.words.label.take().map(|label| suffixed(&label, &suffix, WORDS_MAX));
}

/// A text with a suffix, shortened where both are too long.
fn suffixed(text: &str, suffix: &str, most: usize) -> String {
    let kept: String = text.chars().take(most - suffix.chars().count()).collect();
    format!("{}{suffix}", kept.trim_end())
}

/// Seats of one row with one label are numbered on, where the file tells them apart by their guids or places.
fn distinct_in_row(row: &mut RowRead, findings: &mut Findings) {
    let mut taken: BTreeSet<String> = row.seats.iter().map(|(seat, _)| seat.label.clone()).collect();
    let mut seen: BTreeMap<String, (f32, f32, bool)> = BTreeMap::new();
    for (at, (seat, guid)) in row.seats.iter_mut().enumerate() {
        let Some((x, y, has_guid)) = seen.insert(seat.label.clone(), (seat.x, seat.y, *guid)) else { continue };
        if (x, y) == (seat.x, seat.y) && !(has_guid && *guid) {
            // One seat written twice: `refuse_twice` says so.
            continue;
        }
        let label = (2..).map(|number| suffixed(&seat.label, &format!(" ({number})"), SEAT_LABEL_MAX));
        let Some(label) = label.into_iter().find(|label| taken.insert(label.clone())) else { continue };
        let detail = format!("another seat of the row is called `{}`: this one is called `{label}`", seat.label);
        findings.add(format!("{}.seats[{at}].seat_number", row.path), FindingKind::Changed, detail);
        seat.label = label;
    }
}

/// Position of a seat, as bits, and whether it has a guid.
type Standing = (u32, u32, bool);

/// A seat without a guid at the place of another one with the same labels is the same seat.
fn refuse_twice(rows: &[RowRead], findings: &mut Findings) {
    let mut seen: BTreeMap<(&str, &str), Vec<Standing>> = BTreeMap::new();
    for row in rows {
        for (at, (seat, guid)) in row.seats.iter().enumerate() {
            let others = seen.entry((shown(row), &seat.label)).or_default();
            let here = (seat.x.to_bits(), seat.y.to_bits());
            if others.iter().any(|(x, y, other)| (*x, *y) == here && !(*other && *guid)) {
                let fault = format!("row `{}` of this zone has another seat `{}`", shown(row), seat.label);
                findings.wrong(format!("{}.seats[{at}].seat_number", row.path), fault);
            }
            others.push((here.0, here.1, *guid));
        }
    }
}

fn middle(row: &RowRead) -> (f32, f32) {
    let count = row.seats.len().max(1) as f32;
    let sum = row.seats.iter().fold((0.0, 0.0), |sum, (seat, _)| (sum.0 + seat.x / count, sum.1 + seat.y / count));
    (sum.0, sum.1)
}
