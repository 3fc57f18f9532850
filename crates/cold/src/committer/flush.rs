//! Writes one batch in one transaction, and retries, splits or looks up the batch where the transaction fails.
//!
//! | failure | next step |
//! |---|---|
//! | deadlock or serialization failure | the batch is tried once more |
//! | any other error, or a panic | the commands are written one by one, so that a bad command affects no other |
//! | the reply of a commit was lost | what was written is looked up by identifier before any reply (P3) |

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::cold::{self, BatchRepeat};

use super::pending_command::PendingCommand;
use super::{BatchCommit, CommandOutcome};
use crate::db::{Db, DbError, DbResult};

/// After this many transactions a command fails as a conflict with others.
const ROUNDS_MAX: u32 = 32;

pub(super) struct Flusher<C: BatchCommit> {
    pub(super) commit: C,
    pub(super) db: Db,
}

impl<C: BatchCommit> Flusher<C> {
    /// Writes and answers the batch; returns the commands that join the next one.
    pub(super) async fn flush(&self, batch: Vec<PendingCommand<C>>) -> Vec<PendingCommand<C>> {
        let Some(organization) = batch.first().map(|first| first.organization) else { return Vec::new() };
        let watch = Stopwatch::start();
        let done = self.try_with_retry(organization, &batch).await;
        cold::committer_flushed(C::NAME, batch.len(), watch.elapsed());
        match done {
            Ok(outcomes) => reply(batch, outcomes),
            Err(DbError::Ambiguous(detail)) => self.find_committed(organization, batch, detail).await,
            Err(error) if batch.len() == 1 => refuse_all(batch, &error),
            Err(error) => {
                tracing::warn!(%organization, %error, commands = batch.len(), committer = C::NAME, slice = "cold", "a batch failed and is written one by one");
                cold::committer_repeated(C::NAME, BatchRepeat::OneByOne);
                self.one_by_one(organization, batch).await
            }
        }
    }

    async fn try_with_retry(
        &self,
        organization: OrganizationId,
        batch: &[PendingCommand<C>],
    ) -> DbResult<Vec<CommandOutcome<C::Reply>>> {
        match self.try_once(organization, batch).await {
            Err(DbError::Serialization(detail)) => {
                tracing::info!(%organization, detail, committer = C::NAME, slice = "cold", "a batch conflicts with another transaction and is retried");
                cold::committer_repeated(C::NAME, BatchRepeat::Whole);
                self.try_once(organization, batch).await
            }
            done => done,
        }
    }

    async fn try_once(
        &self,
        organization: OrganizationId,
        batch: &[PendingCommand<C>],
    ) -> DbResult<Vec<CommandOutcome<C::Reply>>> {
        let commands: Vec<&C::Command> = batch.iter().map(|waiting| &waiting.command).collect();
        let transaction = async {
            let mut tx = self.db.begin_uncounted(organization).await?;
            let applied = self.commit.apply(&mut tx, organization, &commands).await?;
            if applied.outcomes.len() != commands.len() {
                return Err(DbError::internal("a batch has not one outcome per command"));
            }
            if applied.wrote {
                tx.commit().await?
            } else {
                tx.rollback().await?
            }
            Ok(applied.outcomes)
        };
        // Unwind safe: the transaction of a panic is dropped, which rolls it back, and nothing else is shared.
        AssertUnwindSafe(transaction)
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(DbError::internal("a batch panicked")))
    }

    async fn one_by_one(&self, organization: OrganizationId, batch: Vec<PendingCommand<C>>) -> Vec<PendingCommand<C>> {
        let mut retries = Vec::new();
        let mut batch = batch.into_iter();
        while let Some(waiting) = batch.next() {
            let alone = vec![waiting];
            match self.try_with_retry(organization, &alone).await {
                Ok(outcomes) => retries.extend(reply(alone, outcomes)),
                Err(DbError::Ambiguous(detail)) => {
                    retries.extend(self.find_committed(organization, alone, detail).await)
                }
                Err(error @ DbError::Unavailable(_)) => {
                    // Each further command would wait for the same timeout.
                    refuse_all(alone, &error);
                    refuse_all(batch.collect(), &error);
                    break;
                }
                Err(error) => drop(refuse_all(alone, &error)),
            }
        }
        retries
    }

    async fn find_committed(
        &self,
        organization: OrganizationId,
        batch: Vec<PendingCommand<C>>,
        detail: String,
    ) -> Vec<PendingCommand<C>> {
        tracing::warn!(%organization, detail, commands = batch.len(), committer = C::NAME, slice = "cold", "the reply of a commit was lost; looking up what was written");
        cold::committer_repeated(C::NAME, BatchRepeat::LookedUp);
        let commands: Vec<&C::Command> = batch.iter().map(|waiting| &waiting.command).collect();
        match self.commit.find_committed(&self.db, organization, &commands).await {
            Ok(found) if found.len() == batch.len() => {
                let outcomes =
                    found.into_iter().map(|found| found.map_or(CommandOutcome::Retry, CommandOutcome::Reply)).collect();
                reply(batch, outcomes)
            }
            Ok(_) => refuse_all(batch, &DbError::Ambiguous("the look-up has not one result per command".to_owned())),
            Err(error) => refuse_all(batch, &DbError::Ambiguous(format!("{detail}; the look-up failed too: {error}"))),
        }
    }
}

/// Sends the replies; returns the commands that are retried.
fn reply<C: BatchCommit>(
    batch: Vec<PendingCommand<C>>,
    outcomes: Vec<CommandOutcome<C::Reply>>,
) -> Vec<PendingCommand<C>> {
    let mut retries = Vec::new();
    for (mut waiting, outcome) in batch.into_iter().zip(outcomes) {
        // The submitter may have stopped waiting; its command stays written.
        match outcome {
            CommandOutcome::Reply(answer) => drop(waiting.reply.send(Ok(answer))),
            CommandOutcome::Retry if waiting.rounds + 1 >= ROUNDS_MAX => {
                let conflict = DbError::Serialization(format!("lost to other commands in {ROUNDS_MAX} transactions"));
                drop(waiting.reply.send(Err(conflict)));
            }
            CommandOutcome::Retry => {
                waiting.rounds += 1;
                retries.push(waiting);
            }
        }
    }
    retries
}

fn refuse_all<C: BatchCommit>(batch: Vec<PendingCommand<C>>, error: &DbError) -> Vec<PendingCommand<C>> {
    for waiting in batch {
        drop(waiting.reply.send(Err(error.clone())));
    }
    Vec::new()
}
