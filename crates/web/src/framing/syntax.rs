//! Parses the parts of a request's framing: request line, field line, chunk size (RFC 9112), each as strictly as the RFC says.

/// An invalid line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid;

/// Which bytes a token may have (RFC 9110, 5.6.2).
const TOKEN: [bool; 256] = {
    let others = b"!#$%&'*+-.^_`|~";
    let mut token = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        token[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        token[others[at] as usize] = true;
        at += 1;
    }
    token
};

/// Whether a request line is of HTTP/1.0: three parts with one space between them.
pub fn is_http_1_0(line: &[u8]) -> Result<bool, Invalid> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Invalid);
    };
    if !is_token(method) || target.is_empty() || target.contains(&b'\t') {
        return Err(Invalid);
    }
    match version {
        b"HTTP/1.1" => Ok(false),
        b"HTTP/1.0" => Ok(true),
        _ => Err(Invalid),
    }
}

/// Name and value of a field line; a line that continues the one before it is invalid.
pub fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Invalid> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(Invalid)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if !is_token(name) {
        return Err(Invalid);
    }
    Ok((name, value.trim_ascii()))
}

/// The size in a chunk's line, without its extensions.
pub fn chunk_size(line: &[u8]) -> Result<u64, Invalid> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = std::str::from_utf8(digits).map_err(|_| Invalid)?;
    if !(1..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Invalid);
    }
    u64::from_str_radix(digits, 16).map_err(|_| Invalid)
}

/// Whether a name or value is this one, in any letter case.
pub fn is(text: &[u8], name: &str) -> bool {
    text.eq_ignore_ascii_case(name.as_bytes())
}

fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| TOKEN[usize::from(*byte)])
}
