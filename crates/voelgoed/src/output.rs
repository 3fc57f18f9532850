//! Writes results to standard output and notes to standard error; a closed pipe ends the program quietly, as it ends other tools.
//!
//! Never: `println!` and similar macros, which panic on a closed pipe (clippy refuses them in this crate).

use std::fmt::{self, Display};
use std::io::{self, ErrorKind, Write};

use anyhow::Context;

/// The exit code of a program that SIGPIPE ended, as shells report it.
pub const CLOSED_PIPE_EXIT_CODE: u8 = 128 + 13;

/// The reader of standard output has closed the pipe (`voelgoed openapi | head -1`).
#[derive(Debug)]
pub struct ClosedPipe;

impl Display for ClosedPipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reader of standard output has closed the pipe")
    }
}

impl std::error::Error for ClosedPipe {}

/// Prints a result and a line break.
///
/// # Errors
/// As [`text`].
pub fn line(result: impl Display) -> anyhow::Result<()> {
    text(format_args!("{result}\n"))
}

/// Prints a result as it is.
///
/// # Errors
/// [`ClosedPipe`]; any other failure of the write.
pub fn text(result: impl Display) -> anyhow::Result<()> {
    write_to(&mut io::stdout().lock(), result)
}

/// Prints a remark to standard error. A failure is ignored: the remark is not the result.
pub fn note(remark: impl Display) {
    // In one write, so that lines of several threads do not mix.
    let _unread = io::stderr().write_all(format!("{remark}\n").as_bytes());
}

fn write_to(writer: &mut impl Write, result: impl Display) -> anyhow::Result<()> {
    match write!(writer, "{result}").and_then(|()| writer.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ClosedPipe.into()),
        written => written.context("cannot write to standard output"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn closed_pipe_is_distinguished_from_other_failures() {
        let closed = write_to(&mut Failing(ErrorKind::BrokenPipe), "text").unwrap_err();
        assert!(closed.is::<ClosedPipe>());
        let full = write_to(&mut Failing(ErrorKind::StorageFull), "text").unwrap_err();
        assert!(!full.is::<ClosedPipe>() && full.to_string().contains("standard output"), "{full}");
    }
}
