//! Tests that well-formed messages pass in pieces of any size, and that each malformed one is stopped before its end.

use super::FramingChecker;

/// Messages that must pass.
const GOOD: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a?b=%20&c[]=\u{e9} HTTP/1.0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost: a\r\ncontent-length:\t5 \r\n\r\n\r\n\0\n.",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhel\nl\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00A;name=\"x\"\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Umlaut: \u{fc}\r\nCookie: a=b; c=d\r\n\r\n",
];

/// Messages that must be stopped.
const BAD: &[&str] = &[
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nHost: a\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\n",
    "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tfolded\r\n\r\n",
    "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "GET / HTTP/1.1\r\n: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost\r\n\r\n",
    "GET / HTTP/1.1\r\nX: a\0b\r\n\r\n",
    "GET / HTTP/1.1\r\nX\0: a\r\n\r\n",
    "GET / HTTP/1.1\r\nX: \u{1}\r\n\r\n",
    "GET / HTTP/1.1\r\nX: \u{7f}\r\n\r\n",
    "GET /\0 HTTP/1.1\r\n\r\n",
    "GET  / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1 \r\n\r\n",
    "GET /a b HTTP/1.1\r\n\r\n",
    "GET\t/ HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.2\r\n\r\n",
    "GET / http/1.1\r\n\r\n",
    "GET /\r\n\r\n",
    "G(T / HTTP/1.1\r\n\r\n",
    "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: 5 6\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length:\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding:\u{b}chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n\r\n",
];

/// The index of the first invalid byte of a message that is received in pieces of `size`.
fn invalid_at(message: &[u8], size: usize) -> Option<usize> {
    let mut checker = FramingChecker::default();
    for (number, piece) in message.chunks(size).enumerate() {
        if let Some(invalid) = checker.check(piece) {
            return Some(number * size + invalid);
        }
    }
    None
}

#[test]
fn well_formed_messages_pass_in_pieces_of_any_size() {
    let all = GOOD.concat();
    for size in [1, 2, 3, 7, 64, all.len()] {
        assert_eq!(invalid_at(all.as_bytes(), size), None, "in pieces of {size}");
    }
}

#[test]
fn malformed_messages_are_stopped_before_their_end() {
    let second = "GET /second HTTP/1.1\r\nHost: a\r\n\r\n";
    for bad in BAD {
        let message = format!("{}{bad}{second}", GOOD[3]);
        let after = GOOD[3].len() + bad.len();
        for size in [1, 3, message.len()] {
            let invalid = invalid_at(message.as_bytes(), size);
            assert!(invalid.is_some_and(|at| at < after), "{bad:?} in pieces of {size}: {invalid:?}");
        }
    }
}

#[test]
fn nothing_is_read_behind_an_invalid_byte() {
    let mut checker = FramingChecker::default();
    assert_eq!(checker.check(b"GET / HTTP/1.1\n"), Some(14));
    assert_eq!(checker.check(b"GET / HTTP/1.1\r\n\r\n"), Some(0));
}

#[test]
fn line_without_end_is_stopped() {
    let mut checker = FramingChecker::default();
    let line = [b"GET /", "a".repeat(super::LINE_BYTES_MAX).as_bytes()].concat();
    assert!(checker.check(&line).is_some());
}
