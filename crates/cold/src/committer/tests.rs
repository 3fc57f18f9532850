//! Tests batching, retries and look-ups of the committer with a command that writes one row and fails on request.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Semaphore;
use uuid::Uuid;
use voelgoed_resilience::Deadline;

use super::*;
use crate::db::{DbError, Sql, binds, row, sql};
use crate::testing::TempDir;

const INSERT: Sql = sql("test.insert", "insert into blocks (organization_id, event_id, id, reason) values {rows:4}");
const WRITTEN: Sql = sql("test.written", "select id from blocks where organization_id = $1 order by id");

/// What a test command does in its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behavior {
    Write,
    /// Fails its whole transaction.
    Fail,
    /// Panics in its transaction.
    Panic,
    /// Panics in the committer task.
    Kill,
    /// Has the outcome `Retry` in a batch of more than one command.
    RetryInSharedBatch,
    /// Has the outcome `Retry` always.
    RetryAlways,
}

#[derive(Clone, Default)]
struct TestCommit(std::sync::Arc<Shared>);

struct Shared {
    /// Each transaction takes one permit, so that a test can delay it.
    permits: Semaphore,
    batches: Mutex<Vec<Vec<u128>>>,
    look_up_fails: AtomicBool,
}

impl Default for Shared {
    fn default() -> Self {
        Self { permits: Semaphore::new(1 << 20), batches: Mutex::default(), look_up_fails: AtomicBool::new(false) }
    }
}

#[async_trait]
impl BatchCommit for TestCommit {
    const NAME: &'static str = "test";
    type Command = (u128, Behavior);
    type Reply = u128;

    fn row_estimate((_, behavior): &(u128, Behavior)) -> usize {
        assert!(*behavior != Behavior::Kill, "killed on request");
        1
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        org: OrganizationId,
        commands: &[&(u128, Behavior)],
    ) -> db::DbResult<BatchOutcome<u128>> {
        self.0.permits.acquire().await.unwrap().forget();
        self.0.batches.lock().unwrap().push(commands.iter().map(|(number, _)| *number).collect());
        assert!(commands.iter().all(|(_, behavior)| *behavior != Behavior::Panic), "panicked on request");
        if commands.iter().any(|(_, behavior)| *behavior == Behavior::Fail) {
            return Err(DbError::internal("failed on request"));
        }
        let is_retried = |behavior| {
            behavior == Behavior::RetryAlways || behavior == Behavior::RetryInSharedBatch && commands.len() > 1
        };
        let written = commands.iter().filter(|(_, behavior)| !is_retried(*behavior));
        let rows: Vec<_> = written.map(|(number, _)| row![org, Uuid::nil(), Uuid::from_u128(*number), ""]).collect();
        let wrote = !rows.is_empty();
        tx.execute_rows(INSERT, vec![], rows).await?;
        let outcome = |(number, behavior): &&(u128, Behavior)| {
            if is_retried(*behavior) { CommandOutcome::Retry } else { CommandOutcome::Reply(*number) }
        };
        Ok(BatchOutcome { outcomes: commands.iter().map(outcome).collect(), wrote })
    }

    async fn find_committed(
        &self,
        db: &Db,
        org: OrganizationId,
        commands: &[&(u128, Behavior)],
    ) -> db::DbResult<Vec<Option<u128>>> {
        if self.0.look_up_fails.load(Ordering::SeqCst) {
            return Err(DbError::Unavailable("failed on request".to_owned()));
        }
        let written: Vec<(Uuid,)> = db.fetch_all(org, WRITTEN, binds![org]).await?;
        Ok(commands
            .iter()
            .map(|(number, _)| written.contains(&(Uuid::from_u128(*number),)).then_some(*number))
            .collect())
    }
}

struct Fixture {
    db: Db,
    commit: TestCommit,
    batcher: Batcher<TestCommit>,
    _dir: TempDir,
}

fn org(number: u128) -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(number))
}

impl Fixture {
    async fn new(mode: CommitMode) -> Self {
        let dir = TempDir::new();
        let db = Db::open_sqlite(dir.path()).await.unwrap();
        let commit = TestCommit::default();
        let batcher = Batcher::start(commit.clone(), db.clone(), mode);
        Self { db, commit, batcher, _dir: dir }
    }

    /// Delays new transactions until [`Self::release`].
    fn hold(&self) {
        self.commit.0.permits.forget_permits(1 << 20);
    }

    fn release(&self) {
        self.commit.0.permits.add_permits(1 << 20);
    }

    /// Submits all commands while the transaction of the first is delayed, so that the others gather; returns their replies.
    async fn submit_together(&self, commands: &[(u128, Behavior)]) -> Vec<Result<u128, SubmitError>> {
        self.hold();
        let all = commands.iter().map(|command| self.batcher.submit(org(1), *command));
        let mut all = pin!(join_all(all));
        assert!(poll_fn(|context| Poll::Ready(all.as_mut().poll(context).is_pending())).await);
        self.release();
        all.await
    }

    fn batches(&self) -> Vec<Vec<u128>> {
        self.commit.0.batches.lock().unwrap().clone()
    }

    async fn written(&self) -> Vec<u128> {
        let rows: Vec<(Uuid,)> = self.db.fetch_all(org(1), WRITTEN, binds![org(1)]).await.unwrap();
        rows.into_iter().map(|(id,)| id.as_u128()).collect()
    }
}

fn writes(numbers: impl IntoIterator<Item = u128>) -> Vec<(u128, Behavior)> {
    numbers.into_iter().map(|number| (number, Behavior::Write)).collect()
}

fn unwrapped(answers: Vec<Result<u128, SubmitError>>) -> Vec<u128> {
    answers.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn commands_that_wait_share_the_next_transaction() {
    let fixture = Fixture::new(CommitMode::Shared).await;
    assert_eq!(
        unwrapped(vec![fixture.batcher.submit(org(1), (1, Behavior::Write)).await]),
        [1],
        "a single command does not wait"
    );
    assert_eq!(unwrapped(fixture.submit_together(&writes(2..=9)).await), (2..=9).collect::<Vec<_>>());
    let batches = fixture.batches();
    assert_eq!(batches.concat(), (1..=9).collect::<Vec<_>>(), "in order of arrival");
    assert!(batches.len() <= 3, "{batches:?}");
    assert_eq!(fixture.written().await, (1..=9).collect::<Vec<_>>());
}

#[tokio::test]
async fn batch_has_a_bounded_number_of_commands() {
    let fixture = Fixture::new(CommitMode::Shared).await;
    assert_eq!(fixture.submit_together(&writes(0..600)).await.len(), 600);
    assert!(fixture.batches().iter().all(|batch| batch.len() <= 256));
    assert_eq!(fixture.written().await.len(), 600);
}

#[tokio::test]
async fn one_by_one_mode_writes_one_command_per_transaction() {
    let fixture = Fixture::new(CommitMode::OneByOne).await;
    fixture.submit_together(&writes(0..20)).await;
    assert!(fixture.batches().iter().all(|batch| batch.len() == 1));
}

#[tokio::test]
async fn organizations_share_no_transaction_and_keep_their_order() {
    let fixture = Fixture::new(CommitMode::Shared).await;
    fixture.hold();
    let all = (0..12_u128).map(|number| fixture.batcher.submit(org(number % 3 + 1), (number, Behavior::Write)));
    let mut all = pin!(join_all(all));
    assert!(poll_fn(|context| Poll::Ready(all.as_mut().poll(context).is_pending())).await);
    fixture.release();
    assert_eq!(unwrapped(all.await), (0..12).collect::<Vec<_>>());
    for batch in fixture.batches() {
        assert!(batch.iter().all(|number| number % 3 == batch[0] % 3) && batch.is_sorted(), "{batch:?}");
    }
}

#[tokio::test]
async fn deadlocked_batch_is_retried_once_and_then_written_one_by_one() {
    for (failures, batches_max) in [(1, 3), (2, 8)] {
        let fixture = Fixture::new(CommitMode::Shared).await;
        fixture.batcher.submit(org(1), (0, Behavior::Write)).await.unwrap();
        for _ in 0..failures {
            fixture.db.commit_faults().fail_before_commit(DbError::Serialization("on request".to_owned()));
        }
        assert_eq!(unwrapped(fixture.submit_together(&writes(1..=4)).await), [1, 2, 3, 4]);
        assert!(fixture.batches().len() <= batches_max, "{:?}", fixture.batches());
        assert_eq!(fixture.written().await, [0, 1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn failing_command_affects_no_other_command() {
    for bad in [Behavior::Fail, Behavior::Panic] {
        let fixture = Fixture::new(CommitMode::Shared).await;
        let answers = fixture.submit_together(&[writes(1..=3), vec![(4, bad)], writes(5..=7)].concat()).await;
        for (answer, number) in answers.iter().zip(1..) {
            match answer {
                Ok(answer) => assert_eq!(*answer, number),
                Err(SubmitError::Failed(DbError::Internal(_))) => assert_eq!(number, 4),
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(fixture.written().await, [1, 2, 3, 5, 6, 7], "after {bad:?}");
    }
}

#[tokio::test]
async fn unavailable_store_is_not_tried_for_each_command() {
    let fixture = Fixture::new(CommitMode::Shared).await;
    fixture.batcher.submit(org(1), (0, Behavior::Write)).await.unwrap();
    for _ in 0..20 {
        fixture.db.commit_faults().fail_before_commit(DbError::Unavailable("on request".to_owned()));
    }
    let answers = fixture.submit_together(&writes(1..=9)).await;
    assert!(
        answers.iter().all(|answer| matches!(answer, Err(SubmitError::Failed(DbError::Unavailable(_))))),
        "{answers:?}"
    );
    assert!(fixture.batches().len() <= 4, "{:?}", fixture.batches());
    assert_eq!(fixture.written().await, [0]);
}

#[tokio::test]
async fn lost_commit_reply_is_looked_up() {
    let lost = || DbError::Ambiguous("on request".to_owned());
    for happened in [true, false] {
        let fixture = Fixture::new(CommitMode::Shared).await;
        match happened {
            true => fixture.db.commit_faults().fail_after_commit(lost()),
            false => fixture.db.commit_faults().fail_before_commit(lost()),
        }
        assert_eq!(unwrapped(fixture.submit_together(&writes(1..=5)).await), [1, 2, 3, 4, 5]);
        assert_eq!(fixture.written().await, [1, 2, 3, 4, 5], "each once, committed before: {happened}");
    }
}

#[tokio::test]
async fn failed_look_up_is_an_ambiguous_result() {
    let fixture = Fixture::new(CommitMode::Shared).await;
    fixture.commit.0.look_up_fails.store(true, Ordering::SeqCst);
    fixture.db.commit_faults().fail_after_commit(DbError::Ambiguous("on request".to_owned()));
    let answer = fixture.batcher.submit(org(1), (1, Behavior::Write)).await;
    assert!(matches!(answer, Err(SubmitError::Failed(DbError::Ambiguous(_)))), "{answer:?}");
    assert_eq!(fixture.written().await, [1]);
}

#[tokio::test]
async fn command_with_outcome_retry_joins_the_next_batch() {
    let fixture = Fixture::new(CommitMode::Shared).await;
    let answers = fixture
        .submit_together(&[writes(1..=2), vec![(3, Behavior::RetryInSharedBatch)], writes(4..=5)].concat())
        .await;
    assert_eq!(unwrapped(answers), [1, 2, 3, 4, 5]);
    assert_eq!(fixture.batches().last().unwrap(), &[3]);
}

#[tokio::test]
async fn command_fails_after_a_bounded_number_of_retries() {
    let fixture = Fixture::new(CommitMode::Shared).await;
    let answer = fixture.batcher.submit(org(1), (1, Behavior::RetryAlways)).await;
    assert!(matches!(answer, Err(SubmitError::Failed(DbError::Serialization(_)))), "{answer:?}");
    assert_eq!(fixture.batches().len(), 32);
}

#[tokio::test]
async fn full_queue_refuses_without_a_wait() {
    let fixture = Fixture::new(CommitMode::Shared).await;
    fixture.hold();
    // The first command is in its transaction; behind it the queue is filled.
    let mut first = pin!(fixture.batcher.submit(org(1), (0, Behavior::Write)));
    assert!(poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_pending())).await);
    while fixture.commit.0.permits.available_permits() == 0 && fixture.batcher.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    let all = (1..=batcher::QUEUED_COMMANDS_MAX as u128)
        .map(|number| fixture.batcher.submit(org(1), (number, Behavior::Write)));
    let mut all = pin!(join_all(all));
    assert!(poll_fn(|context| Poll::Ready(all.as_mut().poll(context).is_pending())).await);
    let over = fixture.batcher.submit(org(1), (1 << 40, Behavior::Write)).await;
    assert!(matches!(over, Err(SubmitError::Overloaded)), "{over:?}");
    fixture.release();
    assert_eq!(first.await.unwrap(), 0);
    assert_eq!(unwrapped(all.await).len(), batcher::QUEUED_COMMANDS_MAX);
    assert_eq!(fixture.written().await.len(), batcher::QUEUED_COMMANDS_MAX + 1, "all accepted commands and no other");
}

#[tokio::test]
async fn submitter_gets_an_error_when_the_committer_task_dies() {
    let fixture = Fixture::new(CommitMode::Shared).await;
    let answer = fixture.batcher.submit(org(1), (1, Behavior::Kill)).await;
    assert!(matches!(answer, Err(SubmitError::Failed(DbError::Ambiguous(_)))), "{answer:?}");
    let answer = fixture.batcher.submit(org(1), (2, Behavior::Write)).await;
    assert!(matches!(answer, Err(SubmitError::Failed(DbError::Unavailable(_)))), "{answer:?}");
}

#[tokio::test]
async fn command_is_written_although_its_submitter_stopped_waiting() {
    let fixture = Fixture::new(CommitMode::Shared).await;
    fixture.hold();
    {
        let mut gone = pin!(fixture.batcher.submit(org(1), (1, Behavior::Write)));
        assert!(poll_fn(|context| Poll::Ready(gone.as_mut().poll(context).is_pending())).await);
    }
    fixture.release();
    fixture.batcher.submit(org(1), (2, Behavior::Write)).await.unwrap();
    assert_eq!(fixture.written().await, [1, 2]);
}

#[tokio::test]
async fn command_past_its_deadline_is_not_begun() {
    let fixture = Fixture::new(CommitMode::Shared).await;
    fixture.hold();
    let mut first = pin!(fixture.batcher.submit(org(1), (1, Behavior::Write)));
    assert!(poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_pending())).await);
    while fixture.batcher.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    // Waits behind the first transaction until its deadline has passed.
    let late =
        Deadline::after(Duration::from_millis(5)).scope(fixture.batcher.submit(org(1), (2, Behavior::Write))).await;
    assert!(late.is_err(), "its caller timed out");
    let in_time = Deadline::after(Duration::from_secs(600)).scope(fixture.batcher.submit(org(1), (3, Behavior::Write)));
    let mut in_time = pin!(in_time);
    assert!(poll_fn(|context| Poll::Ready(in_time.as_mut().poll(context).is_pending())).await);
    fixture.release();
    assert_eq!((first.await.unwrap(), in_time.await.unwrap().unwrap()), (1, 3));
    assert_eq!(fixture.written().await, [1, 3]);
}
