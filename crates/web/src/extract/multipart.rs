//! Extracts the one file of a `multipart/form-data` body (RFC 7578), as browsers and `curl -F` send it.
//!
//! Own code instead of `multer`: the body is in memory already, so the parser borrows a slice of it and needs no further crate. Never: one of several files,
//! or a file that does not end.

use memchr::memmem;
use voelgoed_domain::refusal::Refusal;

/// A form with more parts is refused.
const PARTS_MAX: usize = 100;

/// The body itself; where the content type is that of a form, the only file in it.
///
/// # Errors
/// `invalid_request` for `body` where the form cannot be read or has not exactly one file.
pub fn only_file<'a>(content_type: Option<&str>, body: &'a [u8]) -> Result<&'a [u8], Refusal> {
    let Some(parameters) = content_type.and_then(form_parameters) else { return Ok(body) };
    let boundary = boundary(parameters).ok_or_else(|| refusal("The form names no boundary."))?;
    let parts = parts(body, &boundary).ok_or_else(|| refusal("The form is cut off or not well-formed."))?;
    let files: Vec<&Part<'_>> = parts.iter().filter(|part| part.is_file).collect();
    match (files.as_slice(), parts.as_slice()) {
        ([file], _) => Ok(file.content),
        // A field with the content of a file: `curl -F 'file=<plan.csv'`.
        ([], [only]) => Ok(only.content),
        (files, _) => Err(refusal(&format!("The form has {} files.", files.len()))),
    }
}

fn refusal(fault: &str) -> Refusal {
    Refusal::invalid("body", format!("{fault} Send a form with exactly one file, or the file itself as the body."))
}

struct Part<'a> {
    is_file: bool,
    content: &'a [u8],
}

/// The parameters of a content type that is `multipart/form-data`.
fn form_parameters(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    kind.trim().eq_ignore_ascii_case("multipart/form-data").then_some(parameters)
}

fn boundary(parameters: &str) -> Option<String> {
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("boundary") && !value.is_empty()).then(|| value.to_owned())
    })
}

/// The parts up to the closing boundary; none where the form is cut off.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<Part<'a>>> {
    let (first, next) = (format!("--{boundary}"), format!("\r\n--{boundary}"));
    let mut rest = match body.strip_prefix(first.as_bytes()) {
        Some(rest) => rest,
        // A preamble.
        None => &body[memmem::find(body, next.as_bytes())? + next.len()..],
    };
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let head = memmem::find(rest, b"\r\n")?;
        let part = &rest[head..];
        let start = memmem::find(part, b"\r\n\r\n")? + 4;
        let headers = String::from_utf8_lossy(&part[..start]).to_ascii_lowercase();
        let end = memmem::find(&part[start - 2..], next.as_bytes())?;
        let is_file = headers.lines().any(|line| {
            line.starts_with("content-disposition:") && (line.contains("filename=") || line.contains("filename*="))
        });
        parts.push(Part { is_file, content: &part[start..(start - 2 + end).max(start)] });
        if parts.len() > PARTS_MAX {
            return None;
        }
        rest = &part[start - 2 + end + next.len()..];
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: Option<&str> = Some("multipart/form-data; boundary=----x");

    fn part(disposition: &str, content: &str) -> String {
        format!("------x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    }

    #[test]
    fn only_file_of_a_form_is_extracted() {
        let file = |content: &str| part("name=\"file\"; filename=\"plan.csv\"", content);
        for content in ["area,row\r\n1,2\r\n", "", "\r\n", "--x\r\n------\r\n"] {
            let field = part("name=\"note\"", "by hand");
            for form in
                [file(content), field.clone() + &file(content), file(content) + &field, part("name=\"file\"", content)]
            {
                for body in
                    [format!("{form}------x--\r\n"), format!("{form}------x--"), format!("before\r\n{form}------x--")]
                {
                    assert_eq!(only_file(TYPE, body.as_bytes()), Ok(content.as_bytes()), "{body}");
                    let quoted = Some("Multipart/Form-Data; charset=utf-8; Boundary=\"----x\"");
                    assert_eq!(only_file(quoted, body.as_bytes()), Ok(content.as_bytes()));
                }
            }
        }
        for kind in [None, Some("text/csv"), Some("multipart/mixed; boundary=x")] {
            assert_eq!(only_file(kind, b"--x"), Ok(&b"--x"[..]));
        }
    }

    #[test]
    fn forms_without_exactly_one_file_are_refused() {
        let file = part("name=\"file\"; filename=\"plan.csv\"", "a");
        let two = format!("{file}{file}------x--");
        let fields = format!("{0}{0}------x--", part("name=\"a\"", "1"));
        let many = format!("{}------x--", file.repeat(PARTS_MAX + 1));
        for body in [two.as_str(), &fields, &many, &file, "------x--", "", "------x", "------x\r\n", "area,row\r\n"] {
            assert!(only_file(TYPE, body.as_bytes()).is_err(), "{body}");
        }
        assert!(only_file(Some("multipart/form-data"), file.as_bytes()).is_err());
    }
}
