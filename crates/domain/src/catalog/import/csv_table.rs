//! Reads a CSV table with one seat per line, as spreadsheets write it; areas and rows are in the order of their first seat.
//!
//! Never: a column found by its position; the header names the columns. To add a column: a variant of `Column` and its use in `read_line`.

use std::borrow::Cow;

use csv::{Position, ReaderBuilder, StringRecord, Trim};

use self::find_header::Header;
use self::read_line::Areas;
use super::finding::FindingKind;
use super::findings::Findings;
use crate::catalog::layout::{AreaDraft, PLACES_MAX};
use crate::ids::AreaId;

mod build_areas;
mod column_names;
mod columns;
mod detect_delimiter;
mod find_header;
mod read_line;

#[cfg(test)]
pub(super) use find_header::HEADER_SEARCH_LINES_MAX;

/// One line of the table.
struct Line<'a> {
    number: u64,
    record: &'a StringRecord,
}

impl Line<'_> {
    /// The place of a cell in findings.
    fn at(&self, column: &str) -> String {
        format!("line {}, field `{column}`", self.number)
    }

    fn text(&self, at: Option<usize>) -> &str {
        at.and_then(|at| self.record.get(at)).unwrap_or_default()
    }

    /// True where every cell is blank.
    fn is_blank(&self) -> bool {
        self.record.iter().all(is_blank)
    }
}

/// True where nothing in the cell is visible.
fn is_blank(cell: &str) -> bool {
    cell.chars().all(|c| c.is_whitespace() || crate::text::is_invisible(c))
}

pub(super) fn read(text: &str, new_id: impl FnMut() -> AreaId, findings: &mut Findings) -> Vec<AreaDraft> {
    // Lines are counted by line feeds; files of an old Mac have carriage returns only.
    let text = if text.contains('\n') { Cow::Borrowed(text) } else { Cow::Owned(text.replace('\r', "\n")) };
    let (separator, content, skipped) = split_separator_line(&text);
    if skipped > 0 {
        findings.add("line 1", FindingKind::LeftOut, "the line that names the separator");
    }
    let mut table = TableReader {
        header: Header::new(detect_delimiter::detect_delimiter(separator, content)),
        areas: Areas::default(),
        seats: 0,
    };
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(table.header.delimiter)
        .from_reader(content.as_bytes());
    let mut record = StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Err(error) => {
                let line = error.position().map_or(1, |position| line_of(content, position)) + skipped;
                findings.wrong(format!("line {line}"), "cannot be read as CSV");
                return Vec::new();
            }
            Ok(true) => {}
        }
        let number = record.position().map_or(0, |position| line_of(content, position)) + skipped;
        if !table.read_line(&Line { number, record: &record }, findings) {
            return Vec::new();
        }
    }
    match table.header.finish(findings) {
        None => {}
        Some(_) if table.seats == 0 => findings.wrong(format!("line {}", 2 + skipped), "there are no seats"),
        Some(columns) => columns.report_unnamed(findings),
    }
    table.areas.into_drafts(new_id, findings)
}

/// The state of the reading of one table.
struct TableReader {
    header: Header,
    areas: Areas,
    seats: u32,
}

impl TableReader {
    /// False where reading has to stop.
    fn read_line(&mut self, line: &Line<'_>, findings: &mut Findings) -> bool {
        if line.is_blank() {
            findings.add_merged(|| format!("line {}", line.number), FindingKind::LeftOut, "an empty line");
            return true;
        }
        let Some(columns) = &mut self.header.columns else { return self.header.inspect_line(line, findings) };
        self.seats += 1;
        if self.seats > PLACES_MAX {
            findings.wrong(format!("line {}", line.number), format!("more than the {PLACES_MAX} seats allowed"));
            return false;
        }
        columns.check_extra_cells(line, findings);
        self.areas.read_line(line, columns, findings);
        true
    }
}

/// Splits off a first line `sep=;`: its separator, the rest of the text, and the number of lines split off.
fn split_separator_line(text: &str) -> (Option<u8>, &str, u64) {
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    let first = text[..end].trim().trim_matches('"');
    let Some(named) = first.get(..4).filter(|key| key.eq_ignore_ascii_case("sep=")).map(|_| &first[4..]) else {
        return (None, text, 0);
    };
    let rest = &text[end..];
    let rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\r', '\n'])).unwrap_or(rest);
    // Trimming removed a tab at the end.
    let separator = named.bytes().next().unwrap_or(b'\t');
    (Some(separator).filter(u8::is_ascii), rest, 1)
}

/// The line on which a record starts; the position of the reader is before the empty lines that it skips.
fn line_of(content: &str, position: &Position) -> u64 {
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let bytes = content.as_bytes().get(from..).unwrap_or_default();
    let before = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + before.filter(|byte| **byte == b'\n').count() as u64
}
