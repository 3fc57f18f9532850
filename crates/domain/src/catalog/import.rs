//! Imports seating plans from files (the seating-plan JSON of pretix, or CSV with one seat per line) and reports every fault and every assumption.
//!
//! Never: a part of the file ignored without a finding. A file with faults is refused as `invalid_layout` with all of them, not only the first.
//! The result still has to pass `Layout::build`. To add a format: a file here and a variant of [`ImportFormat`].

use super::layout::{AreaDraft, COORDINATE_MAX};
use crate::ids::AreaId;
use crate::refusal::{Code, Refusal};

mod csv_table;
mod decode_text;
mod finding;
mod findings;
mod localized_number;
mod order_row;
mod pretix;
mod seat_flags;
mod spread_stacked_seats;
#[cfg(test)]
mod tests;
mod unsupported_files;

pub use finding::{Finding, FindingKind};
pub use findings::FINDINGS_MAX;

use findings::Findings;

/// Bytes of one file: enough for `PLACES_MAX` seats in the more verbose format.
pub const IMPORT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The category of seats for which the file gives none.
pub const DEFAULT_CATEGORY: &str = "Standard";

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    /// JSON: zones → rows → seats, each with a position relative to its container; categories by name.
    Pretix,
    /// CSV with the columns `area,row,seat,category` and optionally `x,y,flags` and more, in any order.
    Csv,
}

impl ImportFormat {
    /// Every format with its name in requests.
    pub const ALL: &'static [(&'static str, Self)] = &[("pretix", Self::Pretix), ("csv", Self::Csv)];

    /// The format with this name, in any case.
    ///
    /// # Errors
    /// `invalid_request` with the known names.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let found = Self::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        found.map(|(_, format)| *format).ok_or_else(|| {
            Refusal::invalid(
                "format",
                format!("`{text}` is not a format of seating plans. Known formats: pretix, csv."),
            )
        })
    }

    /// Guesses the format of a file from its first character.
    #[must_use]
    pub fn detect(content: &[u8]) -> Self {
        let head = &content[..content.len().min(64 * 1024)];
        let text = decode_text::decode(head, &mut Findings::default());
        if text.trim_start().starts_with('{') { Self::Pretix } else { Self::Csv }
    }
}

/// The content of an imported file.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedPlan {
    /// In the order of the file.
    pub areas: Vec<AreaDraft>,
    /// Everything that was left out, assumed or changed.
    pub findings: Vec<Finding>,
}

/// Reads a file; each area gets the next id of `new_id`. Seats of a row are ordered by position, and rows are split at aisles, so that neighbours in a row
/// are neighbours in the hall.
///
/// # Errors
/// `too_large` above [`IMPORT_BYTES_MAX`]; `invalid_layout` with all findings, each with its path, or its line and column.
pub fn read(format: ImportFormat, content: &[u8], new_id: impl FnMut() -> AreaId) -> Result<ImportedPlan, Refusal> {
    if content.len() > IMPORT_BYTES_MAX {
        return Err(Refusal::new(Code::TooLarge, format!("The file has more than {IMPORT_BYTES_MAX} bytes.")));
    }
    let mut findings = Findings::default();
    if let Some(description) = unsupported_files::describe_unsupported(content) {
        findings.wrong("the file", description);
        return Err(findings.refusal());
    }
    let text = decode_text::decode(content, &mut findings);
    if let Some(description) = unsupported_files::describe_other_format(format, &text) {
        findings.wrong("the file", description);
        return Err(findings.refusal());
    }
    let mut areas = match format {
        ImportFormat::Pretix => pretix::read(&text, new_id, &mut findings),
        ImportFormat::Csv => csv_table::read(&text, new_id, &mut findings),
    };
    if findings.is_refused() {
        return Err(findings.refusal());
    }
    spread_stacked_seats::spread_stacked_seats(&mut areas, &mut findings);
    Ok(ImportedPlan { areas, findings: findings.into_list() })
}

/// Turns the refusal of an imported plan by `Layout::build` into `invalid_layout` with one finding; other refusals are returned unchanged.
#[must_use]
pub fn refusal_with_finding(refusal: Refusal) -> Refusal {
    match (&refusal.code, &refusal.evidence.field) {
        (Code::InvalidRequest, Some(field)) if field.starts_with("areas") => {
            let mut findings = Findings::default();
            findings.wrong(field.clone(), refusal.detail);
            findings.refusal()
        }
        _ => refusal,
    }
}

/// The fault of a coordinate that is out of range.
fn coordinate_fault(value: f32) -> Option<String> {
    let fits = value.is_finite() && value.abs() <= COORDINATE_MAX;
    (!fits).then(|| format!("must be a number between -{COORDINATE_MAX} and {COORDINATE_MAX}"))
}
