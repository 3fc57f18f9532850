//! Queues commands of one kind, and runs a task that commits them in batches.
//!
//! Never: a submitter without a result. A full queue is an error at once, and a task that dies drops its reply channels, which the submitter sees too.

use std::collections::{BTreeMap, VecDeque};

use futures::future::join_all;
use tokio::sync::{mpsc, oneshot};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_resilience::Deadline;
use voelgoed_telemetry::metrics::cold;
use voelgoed_telemetry::touch;

use super::flush::Flusher;
use super::pending_command::PendingCommand;
use super::{BatchCommit, CommitMode};
use crate::db::{Db, DbError};

/// Further commands are refused as overload.
pub(super) const QUEUED_COMMANDS_MAX: usize = 8_192;
const BATCH_COMMANDS_MAX: usize = 256;
/// In rows of [`BatchCommit::row_estimate`]; a larger command gets a transaction of its own.
const BATCH_ROWS_MAX: usize = 8_192;
/// A batch is split into this many transactions where the engine has several writers: one is prepared or flushed while the other executes.
const CONCURRENT_TRANSACTIONS_MAX: usize = 2;
/// Smaller batches are not split, because the fixed cost of a transaction would outweigh the gain.
const SPLIT_COMMANDS_MIN: usize = 16;

/// Why a command has no reply.
#[derive(Debug, Clone)]
pub(crate) enum SubmitError {
    /// The queue is full; nothing was done.
    Overloaded,
    /// The transaction failed; [`DbError::Ambiguous`] means that the command may have been written.
    Failed(DbError),
}

/// Submits commands of one kind to their task.
pub(crate) struct Batcher<C: BatchCommit> {
    queue: mpsc::Sender<PendingCommand<C>>,
}

impl<C: BatchCommit> Batcher<C> {
    /// Starts the task, which ends once the batcher is dropped and the queue is empty.
    pub(crate) fn start(commit: C, db: Db, mode: CommitMode) -> Self {
        let (queue, receiver) = mpsc::channel(QUEUED_COMMANDS_MAX);
        let worker = Worker {
            concurrent_transactions: if db.is_server() { CONCURRENT_TRANSACTIONS_MAX } else { 1 },
            flusher: Flusher { commit, db },
            queue: receiver,
            mode,
            gathered: VecDeque::new(),
            last_batch_len: 0,
            arrival_next: 0,
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "ends by itself once the last sender is dropped, after the last flush"
        )]
        tokio::spawn(worker.run());
        Self { queue }
    }

    /// The number of queued commands that the task has not taken yet.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Queues the command and waits until its transaction is flushed.
    pub(crate) async fn submit(
        &self,
        organization: OrganizationId,
        command: C::Command,
    ) -> Result<C::Reply, SubmitError> {
        touch::cold_write();
        let (reply, replied) = oneshot::channel();
        let waiting =
            PendingCommand { organization, command, reply, deadline: Deadline::current(), rounds: 0, arrival: 0 };
        self.queue.try_send(waiting).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => SubmitError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => {
                SubmitError::Failed(DbError::Unavailable("the committer has ended".to_owned()))
            }
        })?;
        match replied.await {
            Ok(reply) => reply.map_err(SubmitError::Failed),
            Err(_) => Err(SubmitError::Failed(DbError::Ambiguous("the committer task died".to_owned()))),
        }
    }
}

struct Worker<C: BatchCommit> {
    flusher: Flusher<C>,
    concurrent_transactions: usize,
    queue: mpsc::Receiver<PendingCommand<C>>,
    mode: CommitMode,
    /// Commands taken from the queue for the next transactions, in the order of arrival.
    gathered: VecDeque<PendingCommand<C>>,
    last_batch_len: usize,
    arrival_next: u64,
}

impl<C: BatchCommit> Worker<C> {
    async fn run(mut self) {
        loop {
            if self.gathered.is_empty() {
                match self.queue.recv().await {
                    Some(first) => self.take(first),
                    None => return,
                }
            }
            self.gather().await;
            cold::committer_queue(C::NAME, self.gathered.len() + self.queue.len());
            self.drop_expired();
            if self.gathered.is_empty() {
                continue;
            }
            let batch = self.next_batch();
            self.last_batch_len = batch.len();
            let parts = split_batch(batch, self.concurrent_transactions, |waiting| C::ordering_key(&waiting.command));
            let again = join_all(parts.into_iter().map(|part| self.flusher.flush(part))).await;
            let mut again: Vec<_> = again.into_iter().flatten().collect();
            again.sort_unstable_by_key(|waiting| waiting.arrival);
            for waiting in again.into_iter().rev() {
                self.gathered.push_front(waiting);
            }
        }
    }

    fn take(&mut self, mut waiting: PendingCommand<C>) {
        waiting.arrival = self.arrival_next;
        self.arrival_next += 1;
        self.gathered.push_back(waiting);
    }

    /// Takes the queued commands. After a shared batch its submitters may submit again at once, so the task yields as long as that brings more commands.
    async fn gather(&mut self) {
        loop {
            let before = self.gathered.len();
            while self.gathered.len() < BATCH_COMMANDS_MAX {
                match self.queue.try_recv() {
                    Ok(waiting) => self.take(waiting),
                    Err(_) => break,
                }
            }
            if self.gathered.len() >= BATCH_COMMANDS_MAX || self.last_batch_len < 2 {
                return;
            }
            tokio::task::yield_now().await;
            if self.queue.is_empty() && self.gathered.len() == before {
                return;
            }
        }
    }

    /// Drops commands whose deadline passed before their first transaction: nothing was begun, and the caller has answered with a timeout.
    fn drop_expired(&mut self) {
        let before = self.gathered.len();
        let is_late =
            |waiting: &PendingCommand<C>| waiting.rounds == 0 && waiting.deadline.is_some_and(Deadline::passed);
        self.gathered.retain(|waiting| !is_late(waiting));
        cold::committer_late(C::NAME, before - self.gathered.len());
    }

    /// Takes the oldest command, and further commands of its organization that fit beside it.
    fn next_batch(&mut self) -> Vec<PendingCommand<C>> {
        let commands_max = if self.mode == CommitMode::OneByOne { 1 } else { BATCH_COMMANDS_MAX };
        let mut batch: Vec<PendingCommand<C>> = Vec::new();
        let mut rows = 0;
        let mut left = VecDeque::with_capacity(self.gathered.len());
        let mut full = false;
        for waiting in self.gathered.drain(..) {
            let size = C::row_estimate(&waiting.command);
            let fits = batch.first().is_none_or(|first| {
                first.organization == waiting.organization
                    && batch.len() < commands_max
                    && rows + size <= BATCH_ROWS_MAX
                    && !full
            });
            if fits {
                rows += size;
                batch.push(waiting);
            } else {
                // Commands of an organization keep their order.
                full |= batch.first().is_some_and(|first| first.organization == waiting.organization);
                left.push_back(waiting);
            }
        }
        self.gathered = left;
        batch
    }
}

/// Splits a batch into at most `parts` parts of equal size by arrival, keeping commands with the same key in one part.
fn split_batch<T>(batch: Vec<T>, parts: usize, key: impl Fn(&T) -> u128) -> Vec<Vec<T>> {
    if batch.len() < SPLIT_COMMANDS_MIN {
        return vec![batch];
    }
    let size = batch.len().div_ceil(parts);
    let mut part_of = BTreeMap::new();
    let mut split: Vec<Vec<T>> = (0..parts).map(|_| Vec::with_capacity(size)).collect();
    for (at, command) in batch.into_iter().enumerate() {
        let part = *part_of.entry(key(&command)).or_insert(at / size);
        split[part].push(command);
    }
    split.retain(|part| !part.is_empty());
    split
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_batch_is_split_by_arrival_and_commands_with_one_key_stay_together() {
        let all = |count: usize| (0..count as u128).collect::<Vec<_>>();
        assert_eq!(split_batch(all(SPLIT_COMMANDS_MIN - 1), 2, |one| *one), [all(SPLIT_COMMANDS_MIN - 1)], "too few");
        assert_eq!(split_batch(all(40), 1, |one| *one), [all(40)], "one writer");
        assert_eq!(split_batch(all(40), 2, |_| 7), [all(40)], "all with one key");
        assert_eq!(split_batch(all(17), 2, |one| *one), [(0..9).collect::<Vec<_>>(), (9..17).collect()], "by arrival");
        let pairs = split_batch(all(16), 2, |one| one % 12);
        let expected: [Vec<u128>; 2] = [vec![0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15], vec![8, 9, 10, 11]];
        assert_eq!(pairs, expected, "a later command follows an earlier one with its key");
    }
}
