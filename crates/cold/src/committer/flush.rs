//! One batch in one transaction, and what follows where that fails.
//!
//! Deadlock or serialization failure: once more. Any other fault: one by one, so that one bad command harms nobody else. The answer of a commit was
//! lost: look up by identifier before any reply (P3). A panic is a fault like another.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_planted::{Bug, planted};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::cold::{self, Repeat};

use super::batcher::Waiting;
use super::{Commit, Verdict};
use crate::db::{Db, Error, Result};

/// A command is in at most so many transactions; then it is told that it met others.
const MOST_ROUNDS: u32 = 32;

pub(super) struct Flusher<C: Commit> {
    pub(super) commit: C,
    pub(super) db: Db,
}

impl<C: Commit> Flusher<C> {
    /// Answers the batch; returns those that join the next one.
    pub(super) async fn flush(&self, batch: Vec<Waiting<C>>) -> Vec<Waiting<C>> {
        let Some(organization) = batch.first().map(|first| first.organization) else { return Vec::new() };
        let watch = Stopwatch::start();
        let done = self.try_with_repeat(organization, &batch).await;
        cold::committer_flushed(C::NAME, batch.len(), watch.elapsed());
        match done {
            Ok(verdicts) => reply(batch, verdicts),
            Err(Error::Ambiguous(detail)) => self.look_up(organization, batch, detail).await,
            Err(error) if batch.len() == 1 => refuse_all(batch, &error),
            Err(error) => {
                tracing::warn!(%organization, %error, commands = batch.len(), committer = C::NAME, slice = "cold", "a batch failed and is done one by one");
                cold::committer_repeated(C::NAME, Repeat::OneByOne);
                self.one_by_one(organization, batch).await
            }
        }
    }

    async fn try_with_repeat(
        &self,
        organization: OrganizationId,
        batch: &[Waiting<C>],
    ) -> Result<Vec<Verdict<C::Answer>>> {
        match self.try_once(organization, batch).await {
            Err(Error::Serialization(detail)) => {
                tracing::info!(%organization, detail, committer = C::NAME, slice = "cold", "a batch met another transaction and is repeated");
                cold::committer_repeated(C::NAME, Repeat::Whole);
                self.try_once(organization, batch).await
            }
            done => done,
        }
    }

    async fn try_once(&self, organization: OrganizationId, batch: &[Waiting<C>]) -> Result<Vec<Verdict<C::Answer>>> {
        let commands: Vec<&C::Command> = batch.iter().map(|waiting| &waiting.command).collect();
        let transaction = async {
            let mut tx = self.db.begin_unmarked(organization).await?;
            let applied = self.commit.apply(&mut tx, organization, &commands).await?;
            if applied.verdicts.len() != commands.len() {
                return Err(Error::internal("a batch was answered in part"));
            }
            if applied.wrote && planted(Bug::ReplyBeforeFlush) {
                #[expect(clippy::disallowed_methods, reason = "a planted bug: nobody awaits it")]
                tokio::spawn(tx.commit());
            } else if applied.wrote {
                tx.commit().await?
            } else {
                tx.rollback().await?
            }
            Ok(applied.verdicts)
        };
        // Nothing of a panicked transaction is looked at again: it is dropped, which undoes it.
        AssertUnwindSafe(transaction).catch_unwind().await.unwrap_or_else(|_| Err(Error::internal("a batch panicked")))
    }

    async fn one_by_one(&self, organization: OrganizationId, batch: Vec<Waiting<C>>) -> Vec<Waiting<C>> {
        let mut again = Vec::new();
        let mut batch = batch.into_iter();
        while let Some(waiting) = batch.next() {
            let alone = vec![waiting];
            match self.try_with_repeat(organization, &alone).await {
                Ok(verdicts) => again.extend(reply(alone, verdicts)),
                Err(Error::Ambiguous(detail)) => again.extend(self.look_up(organization, alone, detail).await),
                Err(error @ Error::Away(_)) => {
                    // Each further one would only wait for the same nothing.
                    refuse_all(alone, &error);
                    refuse_all(batch.collect(), &error);
                    break;
                }
                Err(error) => drop(refuse_all(alone, &error)),
            }
        }
        again
    }

    async fn look_up(&self, organization: OrganizationId, batch: Vec<Waiting<C>>, detail: String) -> Vec<Waiting<C>> {
        tracing::warn!(%organization, detail, commands = batch.len(), committer = C::NAME, slice = "cold", "a commit was not answered; looking up what was written");
        cold::committer_repeated(C::NAME, Repeat::LookedUp);
        let commands: Vec<&C::Command> = batch.iter().map(|waiting| &waiting.command).collect();
        if planted(Bug::LostCommitGuessed) {
            let verdicts = batch.iter().map(|_| Verdict::Again).collect();
            return reply(batch, verdicts);
        }
        match self.commit.look_up(&self.db, organization, &commands).await {
            Ok(found) if found.len() == batch.len() => {
                let verdicts = found.into_iter().map(|found| found.map_or(Verdict::Again, Verdict::Answer)).collect();
                reply(batch, verdicts)
            }
            Ok(_) => refuse_all(batch, &Error::Ambiguous("the look-up answered in part".to_owned())),
            Err(error) => refuse_all(batch, &Error::Ambiguous(format!("{detail}; the look-up failed: {error}"))),
        }
    }
}

/// Sends the answers; returns those that go again.
fn reply<C: Commit>(batch: Vec<Waiting<C>>, verdicts: Vec<Verdict<C::Answer>>) -> Vec<Waiting<C>> {
    let mut again = Vec::new();
    for (mut waiting, verdict) in batch.into_iter().zip(verdicts) {
        // Who no longer waits for the answer has gone; what was done stays done.
        match verdict {
            Verdict::Answer(answer) => drop(waiting.reply.send(Ok(answer))),
            Verdict::Again if waiting.rounds + 1 >= MOST_ROUNDS => {
                let met = Error::Serialization(format!("lost {MOST_ROUNDS} times to others"));
                drop(waiting.reply.send(Err(met)));
            }
            Verdict::Again => {
                waiting.rounds += 1;
                again.push(waiting);
            }
        }
    }
    again
}

fn refuse_all<C: Commit>(batch: Vec<Waiting<C>>, error: &Error) -> Vec<Waiting<C>> {
    for waiting in batch {
        drop(waiting.reply.send(Err(error.clone())));
    }
    Vec::new()
}
