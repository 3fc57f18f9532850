//! The queue of a committed command and the task that empties it.
//!
//! Never: a submitter without an answer. A full queue says so at once; a task that dies drops its replies, and that is an answer too.

use std::collections::{BTreeMap, VecDeque};

use futures::future::join_all;
use tokio::sync::{mpsc, oneshot};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_resilience::Deadline;
use voelgoed_telemetry::metrics::cold;
use voelgoed_telemetry::touch;

use super::flush::Flusher;
use super::{Commit, CommitMode};
use crate::db::{Db, Error};

/// Commands that may wait; more are refused as overload.
pub(super) const QUEUE: usize = 8_192;
/// The most commands of one transaction.
const MOST_COMMANDS: usize = 256;
/// The most rows (as [`Commit::rows`] counts) of one transaction; a command larger than that goes alone.
const MOST_ROWS: usize = 8_192;
/// So many transactions share a batch where the engine has more than one writer: while it works on one, the other is prepared or flushed.
const AT_ONCE: usize = 2;
/// Fewer commands than this share one transaction there too: what each transaction costs beside its rows is not worth it.
const WORTH_PARTING: usize = 16;

/// Why a command has no answer.
#[derive(Debug, Clone)]
pub(crate) enum Unanswered {
    /// More wait than the queue takes; nothing was done.
    Overloaded,
    /// A fault; it says whether anything may have been done.
    Failed(Error),
}

/// A command that waits for its answer.
pub(super) struct Waiting<C: Commit> {
    pub(super) organization: OrganizationId,
    pub(super) command: C::Command,
    pub(super) reply: oneshot::Sender<Result<C::Answer, Error>>,
    /// When its request is over.
    pub(super) deadline: Option<Deadline>,
    /// How many transactions it has been in.
    pub(super) rounds: u32,
    /// When it came, as the task counts.
    arrival: u64,
}

/// The way of one kind of command to the disk.
pub(crate) struct Batcher<C: Commit> {
    queue: mpsc::Sender<Waiting<C>>,
}

impl<C: Commit> Batcher<C> {
    /// Starts the task, which ends when this is dropped and the queue is empty.
    pub(crate) fn start(commit: C, db: Db, mode: CommitMode) -> Self {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let worker = Worker {
            at_once: if db.is_server() { AT_ONCE } else { 1 },
            flusher: Flusher { commit, db },
            queue: receiver,
            mode,
            gathered: VecDeque::new(),
            last: 0,
            arrived: 0,
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "ends by itself once the last sender is gone, after the last flush"
        )]
        tokio::spawn(worker.run());
        Self { queue }
    }

    /// How many are in the queue and not yet taken by the task.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Waits for the command's place in a transaction, and for that transaction's flush.
    pub(crate) async fn submit(
        &self,
        organization: OrganizationId,
        command: C::Command,
    ) -> Result<C::Answer, Unanswered> {
        touch::cold_write();
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting { organization, command, reply, deadline: Deadline::carried(), rounds: 0, arrival: 0 };
        self.queue.try_send(waiting).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => Unanswered::Overloaded,
            mpsc::error::TrySendError::Closed(_) => {
                Unanswered::Failed(Error::Away("the committer has ended".to_owned()))
            }
        })?;
        match answer.await {
            Ok(answer) => answer.map_err(Unanswered::Failed),
            Err(_) => Err(Unanswered::Failed(Error::Ambiguous("the committer died".to_owned()))),
        }
    }
}

struct Worker<C: Commit> {
    flusher: Flusher<C>,
    at_once: usize,
    queue: mpsc::Receiver<Waiting<C>>,
    mode: CommitMode,
    /// Taken from the queue and not yet in a transaction, in order of arrival.
    gathered: VecDeque<Waiting<C>>,
    /// How many the last batch had.
    last: usize,
    /// How many have come so far.
    arrived: u64,
}

impl<C: Commit> Worker<C> {
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
            self.let_go_of_the_late();
            if self.gathered.is_empty() {
                continue;
            }
            let batch = self.next_batch();
            self.last = batch.len();
            let parts = parted(batch, self.at_once, |waiting| C::belongs_with(&waiting.command));
            let again = join_all(parts.into_iter().map(|part| self.flusher.flush(part))).await;
            let mut again: Vec<_> = again.into_iter().flatten().collect();
            again.sort_unstable_by_key(|waiting| waiting.arrival);
            for waiting in again.into_iter().rev() {
                self.gathered.push_front(waiting);
            }
        }
    }

    fn take(&mut self, mut waiting: Waiting<C>) {
        waiting.arrival = self.arrived;
        self.arrived += 1;
        self.gathered.push_back(waiting);
    }

    /// Takes what is there. Where several were just answered, they may be about to ask again: it gives way as long as that brings more.
    async fn gather(&mut self) {
        loop {
            let before = self.gathered.len();
            while self.gathered.len() < MOST_COMMANDS {
                match self.queue.try_recv() {
                    Ok(waiting) => self.take(waiting),
                    Err(_) => break,
                }
            }
            if self.gathered.len() >= MOST_COMMANDS || self.last < 2 {
                return;
            }
            tokio::task::yield_now().await;
            if self.queue.is_empty() && self.gathered.len() == before {
                return;
            }
        }
    }

    /// Whose request was over before its turn came: nothing was begun for it, and its caller has been told to try again.
    fn let_go_of_the_late(&mut self) {
        let before = self.gathered.len();
        let is_late = |waiting: &Waiting<C>| waiting.rounds == 0 && waiting.deadline.is_some_and(Deadline::passed);
        self.gathered.retain(|waiting| !is_late(waiting));
        cold::committer_late(C::NAME, before - self.gathered.len());
    }

    /// The oldest command, and those of its organization that fit beside it.
    fn next_batch(&mut self) -> Vec<Waiting<C>> {
        let most = if self.mode == CommitMode::OneByOne { 1 } else { MOST_COMMANDS };
        let mut batch: Vec<Waiting<C>> = Vec::new();
        let mut rows = 0;
        let mut left = VecDeque::with_capacity(self.gathered.len());
        let mut full = false;
        for waiting in self.gathered.drain(..) {
            let size = C::rows(&waiting.command);
            let fits = batch.first().is_none_or(|first| {
                first.organization == waiting.organization && batch.len() < most && rows + size <= MOST_ROWS && !full
            });
            if fits {
                rows += size;
                batch.push(waiting);
            } else {
                // Nobody overtakes within an organization.
                full |= batch.first().is_some_and(|first| first.organization == waiting.organization);
                left.push_back(waiting);
            }
        }
        self.gathered = left;
        batch
    }
}

/// A batch in at most so many parts: by arrival and of equal size, but that what has one number is in one part.
fn parted<T>(batch: Vec<T>, parts: usize, number: impl Fn(&T) -> u128) -> Vec<Vec<T>> {
    if batch.len() < WORTH_PARTING {
        return vec![batch];
    }
    let size = batch.len().div_ceil(parts);
    let mut part_of = BTreeMap::new();
    let mut parted: Vec<Vec<T>> = (0..parts).map(|_| Vec::with_capacity(size)).collect();
    for (at, one) in batch.into_iter().enumerate() {
        let part = *part_of.entry(number(&one)).or_insert(at / size);
        parted[part].push(one);
    }
    parted.retain(|part| !part.is_empty());
    parted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_is_worth_it_is_parted_and_what_belongs_together_is_not() {
        let all = |count: usize| (0..count as u128).collect::<Vec<_>>();
        assert_eq!(parted(all(WORTH_PARTING - 1), 2, |one| *one), [all(WORTH_PARTING - 1)], "too few");
        assert_eq!(parted(all(40), 1, |one| *one), [all(40)], "one writer");
        assert_eq!(parted(all(40), 2, |_| 7), [all(40)], "all of one number");
        assert_eq!(parted(all(17), 2, |one| *one), [(0..9).collect::<Vec<_>>(), (9..17).collect()], "by arrival");
        let pairs = parted(all(16), 2, |one| one % 12);
        let expected: [Vec<u128>; 2] = [vec![0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15], vec![8, 9, 10, 11]];
        assert_eq!(pairs, expected, "the later one of a number follows the earlier one");
    }
}
