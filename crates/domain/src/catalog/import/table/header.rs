//! Finds the header: the first line that names the required columns, after titles and notes that people put above it.

use csv::StringRecord;

use super::super::finding::{FindingKind, Findings};
use super::Line;
use super::columns::{Columns, names};

/// The header is looked for in so many lines that are not empty.
pub(in super::super) const HEADER_LINES_MAX: usize = 20;

/// The header, or the lines before it.
pub(super) struct Header {
    pub delimiter: u8,
    pub columns: Option<Columns>,
    before: Vec<(u64, StringRecord)>,
}

impl Header {
    pub const fn new(delimiter: u8) -> Self {
        Self { delimiter, columns: None, before: Vec::new() }
    }

    /// Looks whether the line is the header; false where there is none that can be used.
    pub fn look(&mut self, line: &Line<'_>, findings: &mut Findings) -> bool {
        if !names(line).is_header() {
            self.before.push((line.number, line.record.clone()));
            return self.before.len() < HEADER_LINES_MAX || self.refuse(findings);
        }
        for (number, _) in &self.before {
            findings.each(|| format!("line {number}"), FindingKind::LeftOut, "a line before the header");
        }
        self.accept(line, findings)
    }

    /// The columns at the end of the file; what is missing is noted where there are none.
    pub fn end(&mut self, findings: &mut Findings) -> Option<&Columns> {
        if self.columns.is_none() && self.before.is_empty() {
            findings.wrong("line 1", "the file is empty");
        } else if self.columns.is_none() && !findings.is_refused() {
            self.refuse(findings);
        }
        self.columns.as_ref()
    }

    /// Says what is missing in the line that names most columns.
    fn refuse(&mut self, findings: &mut Findings) -> bool {
        let before = std::mem::take(&mut self.before);
        let known = |record: &StringRecord| names(&Line { number: 0, record }).known.len();
        // Of equals the first.
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
