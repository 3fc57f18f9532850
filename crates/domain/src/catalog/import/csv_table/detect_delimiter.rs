//! Detects the byte between the columns of a table by counting the known column names that it separates.

use super::column_names::Column;
use super::find_header::HEADER_SEARCH_LINES_MAX;
use super::is_blank;

/// The byte between columns: the one that the file names, else the one with the most known column names in one of the lines that may be the header.
pub(super) fn detect_delimiter(named: Option<u8>, content: &str) -> u8 {
    let lines = content.split(['\r', '\n']).filter(|line| !is_blank(line)).take(HEADER_SEARCH_LINES_MAX);
    let known = |delimiter: u8| {
        let count = |line: &str| {
            let cells = line.split(char::from(delimiter)).map(|cell| cell.trim().trim_matches('"'));
            cells.filter(|cell| Column::named(cell).is_some() || !Column::with_synonym(cell).is_empty()).count()
        };
        lines.clone().map(count).max().unwrap_or(0)
    };
    if let Some(named) = named.filter(|named| known(*named) > 0) {
        return named;
    }
    // `max_by_key` returns the last maximum, so the reversed order returns the first candidate.
    let best = [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|delimiter| known(*delimiter));
    best.unwrap_or(b',')
}
