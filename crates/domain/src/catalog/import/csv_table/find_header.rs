//! Finds the header of a table: the first line with the required columns, below titles and notes.

use csv::StringRecord;

use super::super::finding::FindingKind;
use super::super::findings::Findings;
use super::Line;
use super::columns::{Columns, HeaderCells};

/// Lines that are not empty and are searched for the header.
pub(in super::super) const HEADER_SEARCH_LINES_MAX: usize = 20;

/// The header once found, or the lines before it.
pub(super) struct Header {
    pub delimiter: u8,
    pub columns: Option<Columns>,
    before: Vec<(u64, StringRecord)>,
}

impl Header {
    pub const fn new(delimiter: u8) -> Self {
        Self { delimiter, columns: None, before: Vec::new() }
    }

    /// Accepts the line as header or keeps it; false where no usable header can follow.
    pub fn inspect_line(&mut self, line: &Line<'_>, findings: &mut Findings) -> bool {
        if !HeaderCells::of(line).is_header() {
            self.before.push((line.number, line.record.clone()));
            return self.before.len() < HEADER_SEARCH_LINES_MAX || self.report_best_candidate(findings);
        }
        for (number, _) in &self.before {
            findings.add_merged(|| format!("line {number}"), FindingKind::LeftOut, "a line before the header");
        }
        self.accept(line, findings)
    }

    /// The columns at the end of the file; reports the missing columns where no header was found.
    pub fn finish(&mut self, findings: &mut Findings) -> Option<&Columns> {
        if self.columns.is_none() && self.before.is_empty() {
            findings.wrong("line 1", "the file is empty");
        } else if self.columns.is_none() && !findings.is_refused() {
            self.report_best_candidate(findings);
        }
        self.columns.as_ref()
    }

    /// Reports the missing columns of the line that names most columns.
    fn report_best_candidate(&mut self, findings: &mut Findings) -> bool {
        let before = std::mem::take(&mut self.before);
        let known = |record: &StringRecord| HeaderCells::of(&Line { number: 0, record }).known.len();
        // `max_by_key` returns the last maximum, so the reversed order returns the first line.
        if let Some((number, record)) = before.iter().rev().max_by_key(|(_, record)| known(record)) {
            self.accept(&Line { number: *number, record }, findings);
        }
        false
    }

    fn accept(&mut self, line: &Line<'_>, findings: &mut Findings) -> bool {
        if self.delimiter != b',' {
            let byte = char::from(self.delimiter);
            let name = if byte == '\t' { "tabs".to_owned() } else { format!("`{byte}`") };
            let detail = format!("columns are separated by {name}");
            findings.add(format!("line {}", line.number), FindingKind::Assumed, detail);
        }
        self.columns = Columns::read(line, findings);
        self.columns.is_some()
    }
}
