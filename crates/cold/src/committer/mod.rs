//! Commits many commands in one transaction: the next batch gathers while a flush is in flight; a command that comes alone starts at once.
//!
//! Never: a reply before the flush, a reply after a lost commit without a look-up, two organizations in one transaction (P1, P3, P7).
//! To add a batch command: a type that implements [`BatchCommit`] in its slice's folder, and a [`Batcher`] of it in `Cold`.

mod batcher;
mod flush;
mod pending_command;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use voelgoed_domain::ids::OrganizationId;

use crate::db::{self, Db, Tx};

pub(crate) use batcher::{Batcher, SubmitError};

/// Whether commands share transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CommitMode {
    /// Commands that wait while a flush is in flight share the next transaction.
    #[default]
    Shared,
    /// Each command has a transaction of its own, with the same statements; for comparison in benchmarks.
    OneByOne,
}

/// The outcome of one command of a batch.
#[derive(Debug)]
pub(crate) enum CommandOutcome<R> {
    /// The reply, valid once the transaction is committed.
    Reply(R),
    /// The command joins the next batch: it lost only to a command of this batch that failed too.
    Retry,
}

/// The outcome of a batch.
#[derive(Debug)]
pub(crate) struct BatchOutcome<R> {
    /// One per command, in the order of the commands.
    pub(crate) outcomes: Vec<CommandOutcome<R>>,
    /// False where nothing was written, so that no commit is needed.
    pub(crate) wrote: bool,
}

/// A kind of command whose instances can share a transaction.
#[async_trait]
pub(crate) trait BatchCommit: Send + Sync + 'static {
    /// The label of its metrics.
    const NAME: &'static str;
    type Command: Send + Sync + 'static;
    type Reply: Send + 'static;

    /// Roughly how many rows the command writes, so that a batch stays bounded.
    fn row_estimate(command: &Self::Command) -> usize;

    /// Commands with the same key are never in two concurrent transactions, so their order of arrival decides. Commands with different keys may be, where
    /// the engine has more than one writer; its row locks then resolve their overlaps, as between nodes.
    fn ordering_key(_command: &Self::Command) -> u128 {
        0
    }

    /// Writes all commands in one transaction and resolves overlaps by their order, which is that of arrival.
    async fn apply(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        commands: &[&Self::Command],
    ) -> db::DbResult<BatchOutcome<Self::Reply>>;

    /// After a commit whose reply was lost: the replies of commands that were written, found by their identifiers. The others are retried.
    async fn find_committed(
        &self,
        db: &Db,
        organization: OrganizationId,
        commands: &[&Self::Command],
    ) -> db::DbResult<Vec<Option<Self::Reply>>>;
}
