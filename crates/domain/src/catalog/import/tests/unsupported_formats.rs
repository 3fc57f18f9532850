//! Tests that each unsupported format is recognized by its first bytes, and that similar texts are not.

use super::*;
use crate::catalog::import::unsupported_files::{describe_other_format, describe_unsupported};

/// What the sentence says that the file is; none where the file may be a plan.
fn described(content: &[u8]) -> Option<String> {
    let sentence = describe_unsupported(content)?;
    let (what, remedy) = sentence.strip_prefix("This is ")?.split_once(". ")?;
    assert!(remedy.ends_with('.'), "{remedy}");
    Some(what.to_owned())
}

#[test]
fn every_known_signature_is_described() {
    let image = "an image";
    let archive = "a compressed archive";
    for (content, what) in [
        (&b"PK\x05\x06\0\0"[..], "a zip archive"),
        (b"PK\x03\x04 word/document.xml", "an office document"),
        (b"PK\x03\x04 ppt/slides", "an office document"),
        (b"PK\x03\x04 vnd.oasis.opendocument.text", "an office document"),
        (b"PK\x03\x04 Index/Tables.iwa", "a Numbers spreadsheet"),
        (b"PK\x03\x04 Index/plan.csv", "a zip archive"),
        (b"PK\x03\x04 plan.iwa", "a zip archive"),
        (b"II*\0\x08\0", image),
        (b"MM\0*\0\0", image),
        (b"RIFF\x24\0\0\0WEBPVP8 ", image),
        (b"BM\x36\0\0\0\0\0\0\0\x36\0", image),
        (b"\0\0\0\x18ftypheic", image),
        (b"\0\0\0\x18ftypavif", image),
        (b"\0\0\0\x18ftypmif1", image),
        (b"BZh91AY", archive),
        (b"\xFD7zXZ\0", archive),
        (b"7z\xBC\xAF\x27\x1C", archive),
        (b"Rar!\x1A\x07", archive),
        (b"\x28\xB5\x2F\xFD\x04", archive),
        (b"{\\rtf1\\ansi", "a document in Rich Text Format"),
        (b"SQLite format 3\0", "a database"),
        (b"--x\r\ncontent-disposition: form-data\r\n\r\narea,row", "a form (multipart/form-data)"),
        (b"<?xml version='1.0'?><plan/>", "an XML document"),
        (b"<?xml version='1.0'?><SVG>", "a drawing (SVG)"),
        (b" \r\n<!doctype HTML>", "a web page (HTML)"),
        (b"\xEF\xBB\xBF<p><html>", "a web page (HTML)"),
    ] {
        assert_eq!(described(content).as_deref(), Some(what), "{:?}", String::from_utf8_lossy(content));
    }
}

#[test]
fn text_that_only_resembles_a_signature_is_read() {
    for content in [
        &b""[..],
        b"PK,row,seat,category\n",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"BM,row,seat,category\n",
        b"WEBP,row,seat,category\n",
        b"--,row,seat,category\n",
        b"Content-Disposition: attachment\n",
        b"area,row,seat,category\nS,A,1,<html>\n",
        b"{\"zones\": []}",
    ] {
        assert_eq!(described(content), None, "{:?}", String::from_utf8_lossy(content));
    }
}

#[test]
fn workbook_is_recognized_by_the_names_at_both_ends_of_its_archive() {
    let archive = |before: usize, after: usize| {
        let content = [b"PK\x03\x04".to_vec(), vec![0; before], b"xl/workbook.xml".to_vec(), vec![0; after]].concat();
        described(&content).unwrap()
    };
    for (before, after, expected) in [
        (10_000, 40_000, "an Excel workbook (.xlsx)"),
        (40_000, 10_000, "an Excel workbook (.xlsx)"),
        (40_000, 40_000, "a zip archive"),
    ] {
        assert_eq!(archive(before, after), expected, "{before} {after}");
    }
}

#[test]
fn text_of_the_other_format_is_recognized_by_its_first_character() {
    for (format, text, expected) in [
        (ImportFormat::Csv, "{\"zones\"", Some("This is JSON, not CSV.")),
        (ImportFormat::Csv, " \n[1]", Some("This is JSON, not CSV.")),
        (ImportFormat::Csv, "area,row", None),
        (ImportFormat::Csv, "", None),
        (ImportFormat::Pretix, "area,row", Some("This is CSV, not JSON.")),
        (ImportFormat::Pretix, "area;row", Some("This is CSV, not JSON.")),
        (ImportFormat::Pretix, "area\trow\n", Some("This is CSV, not JSON.")),
        (ImportFormat::Pretix, "area\nrow,seat", None),
        (ImportFormat::Pretix, "{\"a\": 1, \"b\": 2}", None),
        (ImportFormat::Pretix, "[1, 2]", None),
        (ImportFormat::Pretix, " \n", None),
    ] {
        let described = describe_other_format(format, text);
        assert_eq!(described.as_deref().map(|text| text.split_inclusive('.').next().unwrap()), expected, "{text:?}");
    }
}
