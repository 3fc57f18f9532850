//! Lets many commands share one transaction: while one flush is in flight, the next batch gathers (no timer, so a lone command pays nothing).
//!
//! Never: a reply before the flush, a guess after a lost commit, two organizations in one transaction (P1, P3, P7).
//! To add a committed command: a type that implements [`Commit`] in its slice's folder, and a [`Batcher`] of it in `Cold`.

mod batcher;
mod flush;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use voelgoed_domain::ids::OrganizationId;

use crate::db::{self, Db, Tx};

pub(crate) use batcher::{Batcher, Unanswered};

/// How commands reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CommitMode {
    /// Those that wait while another flush is in flight share the next one.
    #[default]
    Shared,
    /// Each in its own transaction, by the same statements: what benchmarks compare with.
    OneByOne,
}

/// What became of one command of a batch.
#[derive(Debug)]
pub(crate) enum Verdict<A> {
    /// Its answer, true once the transaction is committed.
    Answer(A),
    /// It only lost to a command of this batch that then failed: it joins the next one.
    Again,
}

/// What a transaction did with a batch.
#[derive(Debug)]
pub(crate) struct Applied<A> {
    /// One per command, in its order.
    pub(crate) verdicts: Vec<Verdict<A>>,
    /// False where nothing was written, so that nothing needs a flush.
    pub(crate) wrote: bool,
}

/// A command that can share a transaction with others of its kind.
#[async_trait]
pub(crate) trait Commit: Send + Sync + 'static {
    /// The label of its metrics.
    const NAME: &'static str;
    /// What is asked.
    type Command: Send + Sync + 'static;
    /// What is answered.
    type Answer: Send + 'static;

    /// About how many rows it writes, so that a batch stays bounded.
    fn rows(command: &Self::Command) -> usize;

    /// Commands of one number are settled by their order, so they are never in two transactions at once. Others may be, where the engine has more than
    /// one writer: overlaps between those are its locks' to settle, as they are between nodes.
    fn belongs_with(_command: &Self::Command) -> u128 {
        0
    }

    /// Writes all of them in one transaction, settling overlaps by their order (that of arrival).
    async fn apply(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        commands: &[&Self::Command],
    ) -> db::Result<Applied<Self::Answer>>;

    /// After a commit whose answer was lost: what was written, found by the commands' own identifiers. None is repeated.
    async fn look_up(
        &self,
        db: &Db,
        organization: OrganizationId,
        commands: &[&Self::Command],
    ) -> db::Result<Vec<Option<Self::Answer>>>;
}
