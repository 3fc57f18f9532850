//! Seating plans from files: the seating-plan JSON that pretix uses, and CSV with one seat per line.
//!
//! Never: a guess where a file says nothing. What cannot be read is `invalid_layout` and named: JSON by its path, CSV by line and column.
//! What is read is checked once more as a whole by `Layout::build`. To add a format: a file here and a variant of [`ImportFormat`].

use super::layout::{AreaDraft, COORDINATE_MAX, RowDraft, Seat};
use crate::ids::AreaId;
use crate::refusal::{Code, Refusal};

mod pretix;
mod table;
#[cfg(test)]
mod tests;

/// Bytes of one file: a plan of `MAX_PLACES` seats in the wordier of the formats.
pub const MAX_IMPORT_BYTES: usize = 64 * 1024 * 1024;
/// A gap of so many times a row's usual distance between seats is an aisle: seats on its two sides are not neighbours.
const AISLE: f32 = 1.75;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    /// JSON: zones → rows → seats, each positioned relative to what it is in; categories by name.
    Pretix,
    /// CSV with the header `area,row,seat,x,y,category` and optionally `flags` (separated by spaces), in any order of columns.
    Csv,
}

impl ImportFormat {
    /// The format of a file, by its first character.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let first = without_mark(content).iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'{') { Self::Pretix } else { Self::Csv }
    }
}

/// Reads a file; each area gets the next id of `new_id`. Rows are parted at aisles, so that neighbours in a row are neighbours in the hall.
///
/// # Errors
/// `too_large` above [`MAX_IMPORT_BYTES`]; `invalid_layout` naming path or line and column.
pub fn read(format: ImportFormat, content: &[u8], new_id: impl FnMut() -> AreaId) -> Result<Vec<AreaDraft>, Refusal> {
    if content.len() > MAX_IMPORT_BYTES {
        return Err(Refusal::new(Code::TooLarge, format!("The file has more than {MAX_IMPORT_BYTES} bytes.")));
    }
    let content = without_mark(content);
    match format {
        ImportFormat::Pretix => pretix::read(content, new_id),
        ImportFormat::Csv => table::read(content, new_id),
    }
}

/// The content without the mark that some programs put before UTF-8.
fn without_mark(content: &[u8]) -> &[u8] {
    content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content)
}

fn invalid(place: impl Into<String>, fault: &str) -> Refusal {
    let place = place.into();
    Refusal::new(Code::InvalidLayout, format!("{place}: {fault}")).with(|evidence| evidence.field = Some(place))
}

/// What is wrong with a coordinate, if anything.
fn coordinate_fault(value: f32) -> Option<String> {
    let fits = value.is_finite() && value.abs() <= COORDINATE_MAX;
    (!fits).then(|| format!("must be a number between -{COORDINATE_MAX} and {COORDINATE_MAX}"))
}

/// The row in parts between which there are aisles; all parts keep its name.
fn parted_at_aisles(name: &str, seats: Vec<Seat>) -> Vec<RowDraft> {
    let gap = |pair: &[Seat]| (pair[0].x - pair[1].x).hypot(pair[0].y - pair[1].y);
    let gaps: Vec<f32> = seats.windows(2).map(gap).collect();
    let mut sorted = gaps.clone();
    sorted.sort_by(f32::total_cmp);
    let usual = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0.0);
    let mut rows: Vec<RowDraft> = Vec::new();
    for (at, seat) in seats.into_iter().enumerate() {
        let aisle = at > 0 && usual > 0.0 && gaps[at - 1] > usual * AISLE;
        match rows.last_mut().filter(|_| !aisle) {
            Some(row) => row.seats.push(seat),
            None => rows.push(RowDraft { name: name.to_owned(), seats: vec![seat] }),
        }
    }
    rows
}
