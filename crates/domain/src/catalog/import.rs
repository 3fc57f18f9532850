//! Seating plans from files: the seating-plan JSON that pretix uses, and CSV with one seat per line.
//!
//! Never: something of the file dropped without a finding. What cannot be read is `invalid_layout` with every fault found, not only the first.
//! What is read is checked once more as a whole by `Layout::build`. To add a format: a file here and a variant of [`ImportFormat`].

use super::layout::{AreaDraft, COORDINATE_MAX};
use crate::ids::AreaId;
use crate::refusal::{Code, Refusal};

mod encoding;
mod finding;
mod foreign;
mod marks;
mod number;
mod one_point;
mod pretix;
mod rows;
mod table;
#[cfg(test)]
mod tests;

pub use finding::{FINDINGS_MAX, Finding, FindingKind};

use finding::Findings;

/// Bytes of one file: a plan of `MAX_PLACES` seats in the wordier of the formats.
pub const MAX_IMPORT_BYTES: usize = 64 * 1024 * 1024;
/// What seats are called that have no category.
pub const DEFAULT_CATEGORY: &str = "Standard";

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    /// JSON: zones → rows → seats, each positioned relative to what it is in; categories by name.
    Pretix,
    /// CSV with a header that names `area,row,seat,category` and optionally `x,y,flags` and more, in any order of columns.
    Csv,
}

impl ImportFormat {
    /// Every format with the name that people give.
    pub const ALL: &'static [(&'static str, Self)] = &[("pretix", Self::Pretix), ("csv", Self::Csv)];

    /// The format with this name, whatever its case.
    ///
    /// # Errors
    /// `invalid_request` naming the known ones.
    pub fn named(text: &str) -> Result<Self, Refusal> {
        let found = Self::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        found.map(|(_, format)| *format).ok_or_else(|| {
            Refusal::invalid("format", format!("`{text}` is no format of seating plans. Known formats: pretix, csv."))
        })
    }

    /// The format of a file, by its first character.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let head = &content[..content.len().min(64 * 1024)];
        let text = encoding::decoded(head, &mut Findings::default());
        if text.trim_start().starts_with('{') { Self::Pretix } else { Self::Csv }
    }
}

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The areas, in the order of the file.
    pub areas: Vec<AreaDraft>,
    /// What was left out, assumed or changed.
    pub findings: Vec<Finding>,
}

/// Reads a file; each area gets the next id of `new_id`. The seats of a row are ordered by position, and rows are parted at aisles, so that
/// neighbours in a row are neighbours in the hall.
///
/// # Errors
/// `too_large` above [`MAX_IMPORT_BYTES`]; `invalid_layout` with all findings, each naming path or line and column.
pub fn read(format: ImportFormat, content: &[u8], new_id: impl FnMut() -> AreaId) -> Result<Imported, Refusal> {
    if content.len() > MAX_IMPORT_BYTES {
        return Err(Refusal::new(Code::TooLarge, format!("The file has more than {MAX_IMPORT_BYTES} bytes.")));
    }
    let mut findings = Findings::default();
    if let Some(what) = foreign::recognised(content) {
        findings.wrong("the file", what);
        return Err(findings.refusal());
    }
    let text = encoding::decoded(content, &mut findings);
    if let Some(what) = foreign::other_format(format, &text) {
        findings.wrong("the file", what);
        return Err(findings.refusal());
    }
    let mut areas = match format {
        ImportFormat::Pretix => pretix::read(&text, new_id, &mut findings),
        ImportFormat::Csv => table::read(&text, new_id, &mut findings),
    };
    if findings.is_refused() {
        return Err(findings.refusal());
    }
    one_point::spread(&mut areas, &mut findings);
    Ok(Imported { areas, findings: findings.into_list() })
}

/// A refusal of the whole plan that was read, with its one finding.
#[must_use]
pub fn as_finding(refusal: Refusal) -> Refusal {
    match (&refusal.code, &refusal.evidence.field) {
        (Code::InvalidRequest, Some(field)) if field.starts_with("areas") => {
            let mut findings = Findings::default();
            findings.wrong(field.clone(), refusal.detail);
            findings.refusal()
        }
        _ => refusal,
    }
}

/// What is wrong with a coordinate, if anything.
fn coordinate_fault(value: f32) -> Option<String> {
    let fits = value.is_finite() && value.abs() <= COORDINATE_MAX;
    (!fits).then(|| format!("must be a number between -{COORDINATE_MAX} and {COORDINATE_MAX}"))
}
