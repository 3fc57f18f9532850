//! Recognizes files of unsupported formats by their first bytes and describes in one sentence what to import instead.

use super::ImportFormat;

const SAVE_AS_CSV: &str = "Save the sheet with the seats as CSV and import that file.";

/// The description of a file that is in no supported format.
pub(super) fn describe_unsupported(content: &[u8]) -> Option<String> {
    let has = |needle: &[u8]| content[..content.len().min(4096)].windows(needle.len()).any(|part| part == needle);
    let starts = |magic: &[u8]| content.starts_with(magic);
    let (what, remedy) = match content {
        _ if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") => (describe_zip(content), SAVE_AS_CSV),
        _ if starts(b"\xD0\xCF\x11\xE0") => ("an old Excel workbook (.xls)", SAVE_AS_CSV),
        _ if starts(b"%PDF") => ("a PDF document", "Import the plan as CSV or as a pretix seating plan."),
        _ if starts(b"\x89PNG")
            || starts(b"\xFF\xD8\xFF")
            || starts(b"GIF8")
            || starts(b"II*\0")
            || starts(b"MM\0*") =>
        {
            ("an image", "A picture has no seats to read: import the plan as CSV or as a pretix seating plan.")
        }
        _ if starts(b"RIFF") && has(b"WEBP") || starts(b"BM") && content.get(6..10) == Some(&[0; 4]) => {
            ("an image", "A picture has no seats to read: import the plan as CSV or as a pretix seating plan.")
        }
        _ if has(b"ftypheic") || has(b"ftypavif") || has(b"ftypmif1") => {
            ("an image", "A picture has no seats to read: import the plan as CSV or as a pretix seating plan.")
        }
        _ if starts(b"\x1F\x8B") => ("compressed with gzip", "Unpack it and import the file inside."),
        _ if starts(b"BZh")
            || starts(b"\xFD7zXZ")
            || starts(b"7z\xBC\xAF")
            || starts(b"Rar!")
            || starts(b"\x28\xB5\x2F\xFD") =>
        {
            ("a compressed archive", "Unpack it and import the file inside.")
        }
        _ if starts(b"{\\rtf") => ("a document in Rich Text Format", SAVE_AS_CSV),
        _ if starts(b"SQLite format 3") => ("a database", SAVE_AS_CSV),
        _ if starts(b"--") && (has(b"Content-Disposition:") || has(b"content-disposition:")) => {
            ("a form (multipart/form-data)", "Send the file itself as the body, without a form around it.")
        }
        _ => return describe_markup(content),
    };
    Some(format!("This is {what}. {remedy}"))
}

/// The kind of a zip archive, by the file names in its first entries or in the directory at its end.
fn describe_zip(content: &[u8]) -> &'static str {
    let ends = [&content[..content.len().min(16 * 1024)], &content[content.len().saturating_sub(16 * 1024)..]];
    let has = |needle: &[u8]| ends.iter().any(|end| end.windows(needle.len()).any(|part| part == needle));
    if has(b"opendocument.spreadsheet") {
        "an OpenDocument spreadsheet (.ods)"
    } else if has(b"xl/") {
        "an Excel workbook (.xlsx)"
    } else if has(b"opendocument.") || has(b"word/") || has(b"ppt/") {
        "an office document"
    } else if has(b"Index/") && has(b".iwa") {
        "a Numbers spreadsheet"
    } else {
        "a zip archive"
    }
}

fn describe_markup(content: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&content[..content.len().min(1024)]).to_lowercase();
    let head = head.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if !head.starts_with('<') {
        return None;
    }
    let what = if head.contains("<svg") {
        "a drawing (SVG)"
    } else if head.starts_with("<!doctype html") || head.contains("<html") {
        "a web page (HTML)"
    } else {
        "an XML document"
    };
    Some(format!("This is {what}. Import the plan as CSV or as a pretix seating plan."))
}

/// The description of a text in the other supported format.
pub(super) fn describe_other_format(format: ImportFormat, text: &str) -> Option<String> {
    let first = text.trim_start().chars().next()?;
    let json = matches!(first, '{' | '[');
    match format {
        ImportFormat::Csv if json => Some("This is JSON, not CSV. Import it with the format pretix.".to_owned()),
        ImportFormat::Pretix if !json && text.lines().next().is_some_and(|line| line.contains([',', ';', '\t'])) => {
            Some("This is CSV, not JSON. Import it with the format csv.".to_owned())
        }
        _ => None,
    }
}
