//! Faults on demand, for the tests of what follows them: a commit that fails, or whose answer is lost.

use std::sync::Mutex;

use super::{Error, Result};

/// What the next commits meet.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    before: Mutex<Vec<Error>>,
    after: Mutex<Vec<Error>>,
}

impl Faults {
    /// The next commit fails with `error`, and nothing is written.
    pub(crate) fn refuse_commit(&self, error: Error) {
        self.before.lock().unwrap().push(error);
    }

    /// The next commit happens, and its caller hears `error` instead.
    pub(crate) fn lose_answer(&self, error: Error) {
        self.after.lock().unwrap().push(error);
    }

    pub(super) fn before_commit(&self) -> Result<()> {
        self.before.lock().unwrap().pop().map_or(Ok(()), Err)
    }

    pub(super) fn after_commit(&self) -> Result<()> {
        self.after.lock().unwrap().pop().map_or(Ok(()), Err)
    }
}
