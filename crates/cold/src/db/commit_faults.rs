//! Injects commit faults in tests: a commit that fails, or one that happens and whose reply is lost.

use std::sync::Mutex;

use super::{DbError, DbResult};

/// The faults of the next commits.
#[derive(Debug, Default)]
pub(crate) struct CommitFaults {
    before: Mutex<Vec<DbError>>,
    after: Mutex<Vec<DbError>>,
}

impl CommitFaults {
    /// The next commit fails with `error` and writes nothing.
    pub(crate) fn fail_before_commit(&self, error: DbError) {
        self.before.lock().unwrap().push(error);
    }

    /// The next commit writes, and its caller gets `error` instead of `Ok`.
    pub(crate) fn fail_after_commit(&self, error: DbError) {
        self.after.lock().unwrap().push(error);
    }

    pub(super) fn before_commit(&self) -> DbResult<()> {
        self.before.lock().unwrap().pop().map_or(Ok(()), Err)
    }

    pub(super) fn after_commit(&self) -> DbResult<()> {
        self.after.lock().unwrap().pop().map_or(Ok(()), Err)
    }
}
