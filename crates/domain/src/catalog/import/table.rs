//! CSV with one seat per line, as spreadsheets write it. Areas and rows come in the order of their first seat.
//!
//! Never: a column read by its position; the header names them. To add a column: a variant of [`Column`] and its reading in `seats`.

use std::borrow::Cow;

use csv::{Position, ReaderBuilder, StringRecord, Trim};

use self::header::Header;
use self::seats::Areas;
use super::finding::{FindingKind, Findings};
use crate::catalog::layout::{AreaDraft, MAX_PLACES};
use crate::ids::AreaId;

mod columns;
mod header;
mod layout;
mod seats;

#[cfg(test)]
pub(super) use header::HEADER_LINES_MAX;

/// One line.
struct Line<'a> {
    number: u64,
    record: &'a StringRecord,
}

impl Line<'_> {
    /// Where a cell is, in words.
    fn at(&self, column: &str) -> String {
        format!("line {}, field `{column}`", self.number)
    }

    fn text(&self, at: Option<usize>) -> &str {
        at.and_then(|at| self.record.get(at)).unwrap_or_default()
    }

    /// True where no cell says anything.
    fn is_blank(&self) -> bool {
        self.record.iter().all(is_blank)
    }
}

/// True where a person sees nothing in the cell.
fn is_blank(cell: &str) -> bool {
    cell.chars().all(|c| c.is_whitespace() || crate::text::is_invisible(c))
}

pub(super) fn read(text: &str, new_id: impl FnMut() -> AreaId, findings: &mut Findings) -> Vec<AreaDraft> {
    // Lines are counted by their feeds.
    let text = if text.contains('\n') { Cow::Borrowed(text) } else { Cow::Owned(text.replace('\r', "\n")) };
    let (separator, content, skipped) = separated(&text);
    if skipped > 0 {
        findings.add("line 1", FindingKind::LeftOut, "the line that names the separator");
    }
    let mut table =
        Table { header: Header::new(columns::delimiter(separator, content)), areas: Areas::default(), seats: 0 };
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
    match table.header.end(findings) {
        None => {}
        Some(_) if table.seats == 0 => findings.wrong(format!("line {}", 2 + skipped), "there are no seats"),
        Some(columns) => columns.tell_unread(findings),
    }
    table.areas.into_drafts(new_id, findings)
}

/// What is read so far.
struct Table {
    header: Header,
    areas: Areas,
    seats: u32,
}

impl Table {
    /// False where nothing more can be read.
    fn read_line(&mut self, line: &Line<'_>, findings: &mut Findings) -> bool {
        if line.is_blank() {
            findings.each(|| format!("line {}", line.number), FindingKind::LeftOut, "an empty line");
            return true;
        }
        let Some(columns) = &mut self.header.columns else { return self.header.look(line, findings) };
        self.seats += 1;
        if self.seats > MAX_PLACES {
            findings.wrong(format!("line {}", line.number), format!("more than the {MAX_PLACES} seats allowed"));
            return false;
        }
        columns.note_extra(line, findings);
        self.areas.read_line(line, columns, findings);
        true
    }
}

/// The separator that a first line `sep=;` names, what follows that line, and how many lines it was.
fn separated(text: &str) -> (Option<u8>, &str, u64) {
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    let first = text[..end].trim().trim_matches('"');
    let Some(named) = first.get(..4).filter(|key| key.eq_ignore_ascii_case("sep=")).map(|_| &first[4..]) else {
        return (None, text, 0);
    };
    let rest = &text[end..];
    let rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\r', '\n'])).unwrap_or(rest);
    // A tab at the end was trimmed away.
    let separator = named.bytes().next().unwrap_or(b'\t');
    (Some(separator).filter(u8::is_ascii), rest, 1)
}

/// The line that a record begins on: the reader's position is before the empty lines that it passes over.
fn line_of(content: &str, position: &Position) -> u64 {
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let bytes = content.as_bytes().get(from..).unwrap_or_default();
    let before = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + before.filter(|byte| **byte == b'\n').count() as u64
}
