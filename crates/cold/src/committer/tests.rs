//! The committer's cases, on a command that writes one row and misbehaves on request.

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
use crate::db::{Error, Sql, binds, row, sql};
use crate::testing::TempDir;

const INSERT: Sql = sql("test.insert", "insert into blocks (organization_id, event_id, id, reason) values {rows:4}");
const WRITTEN: Sql = sql("test.written", "select id from blocks where organization_id = $1 order by id");

/// A row to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Write,
    /// Fails its whole transaction.
    Fail,
    /// Kills its transaction.
    Panic,
    /// Kills the committer's task.
    Kill,
    /// Is not answered in a transaction of more than one.
    LoseInCompany,
    /// Is never answered.
    LoseAlways,
}

#[derive(Clone, Default)]
struct Notes(std::sync::Arc<Shared>);

struct Shared {
    /// Each transaction takes one permit, so that a test can hold it.
    go: Semaphore,
    batches: Mutex<Vec<Vec<u128>>>,
    blind: AtomicBool,
}

impl Default for Shared {
    fn default() -> Self {
        Self { go: Semaphore::new(1 << 20), batches: Mutex::default(), blind: AtomicBool::new(false) }
    }
}

#[async_trait]
impl Commit for Notes {
    const NAME: &'static str = "test";
    type Command = (u128, Deed);
    type Answer = u128;

    fn rows((_, deed): &(u128, Deed)) -> usize {
        assert!(*deed != Deed::Kill, "killed on request");
        1
    }

    async fn apply(&self, tx: &mut Tx, org: OrganizationId, deeds: &[&(u128, Deed)]) -> db::Result<Applied<u128>> {
        self.0.go.acquire().await.unwrap().forget();
        self.0.batches.lock().unwrap().push(deeds.iter().map(|(number, _)| *number).collect());
        assert!(deeds.iter().all(|(_, deed)| *deed != Deed::Panic), "panicked on request");
        if deeds.iter().any(|(_, deed)| *deed == Deed::Fail) {
            return Err(Error::internal("failed on request"));
        }
        let loses = |deed| deed == Deed::LoseAlways || deed == Deed::LoseInCompany && deeds.len() > 1;
        let written = deeds.iter().filter(|(_, deed)| !loses(*deed));
        let rows: Vec<_> = written.map(|(number, _)| row![org, Uuid::nil(), Uuid::from_u128(*number), ""]).collect();
        let wrote = !rows.is_empty();
        tx.execute_rows(INSERT, vec![], rows).await?;
        let verdict =
            |(number, deed): &&(u128, Deed)| if loses(*deed) { Verdict::Again } else { Verdict::Answer(*number) };
        Ok(Applied { verdicts: deeds.iter().map(verdict).collect(), wrote })
    }

    async fn look_up(&self, db: &Db, org: OrganizationId, deeds: &[&(u128, Deed)]) -> db::Result<Vec<Option<u128>>> {
        if self.0.blind.load(Ordering::SeqCst) {
            return Err(Error::Away("blind on request".to_owned()));
        }
        let written: Vec<(Uuid,)> = db.fetch_all(org, WRITTEN, binds![org]).await?;
        Ok(deeds.iter().map(|(number, _)| written.contains(&(Uuid::from_u128(*number),)).then_some(*number)).collect())
    }
}

struct Bench {
    db: Db,
    notes: Notes,
    batcher: Batcher<Notes>,
    _dir: TempDir,
}

fn org(number: u128) -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(number))
}

impl Bench {
    async fn new(mode: CommitMode) -> Self {
        let dir = TempDir::new();
        let db = Db::open_sqlite(dir.path()).await.unwrap();
        let notes = Notes::default();
        let batcher = Batcher::start(notes.clone(), db.clone(), mode);
        Self { db, notes, batcher, _dir: dir }
    }

    /// Lets nobody into a transaction until [`Self::release`].
    fn hold(&self) {
        self.notes.0.go.forget_permits(1 << 20);
    }

    fn release(&self) {
        self.notes.0.go.add_permits(1 << 20);
    }

    /// Submits all while the first one's transaction is held, so that the others gather; their answers.
    async fn gathered(&self, deeds: &[(u128, Deed)]) -> Vec<Result<u128, Unanswered>> {
        self.hold();
        let all = deeds.iter().map(|deed| self.batcher.submit(org(1), *deed));
        let mut all = pin!(join_all(all));
        assert!(poll_fn(|context| Poll::Ready(all.as_mut().poll(context).is_pending())).await);
        self.release();
        all.await
    }

    fn batches(&self) -> Vec<Vec<u128>> {
        self.notes.0.batches.lock().unwrap().clone()
    }

    async fn written(&self) -> Vec<u128> {
        let rows: Vec<(Uuid,)> = self.db.fetch_all(org(1), WRITTEN, binds![org(1)]).await.unwrap();
        rows.into_iter().map(|(id,)| id.as_u128()).collect()
    }
}

fn writes(numbers: impl IntoIterator<Item = u128>) -> Vec<(u128, Deed)> {
    numbers.into_iter().map(|number| (number, Deed::Write)).collect()
}

fn answered(answers: Vec<Result<u128, Unanswered>>) -> Vec<u128> {
    answers.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn those_that_wait_share_the_next_transaction() {
    let bench = Bench::new(CommitMode::Shared).await;
    assert_eq!(answered(vec![bench.batcher.submit(org(1), (1, Deed::Write)).await]), [1], "a lone one goes at once");
    assert_eq!(answered(bench.gathered(&writes(2..=9)).await), (2..=9).collect::<Vec<_>>());
    let batches = bench.batches();
    assert_eq!(batches.concat(), (1..=9).collect::<Vec<_>>(), "in order of arrival");
    assert!(batches.len() <= 3, "{batches:?}");
    assert_eq!(bench.written().await, (1..=9).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_transaction_is_bounded() {
    let bench = Bench::new(CommitMode::Shared).await;
    assert_eq!(bench.gathered(&writes(0..600)).await.len(), 600);
    assert!(bench.batches().iter().all(|batch| batch.len() <= 256));
    assert_eq!(bench.written().await.len(), 600);
}

#[tokio::test]
async fn one_by_one_shares_nothing() {
    let bench = Bench::new(CommitMode::OneByOne).await;
    bench.gathered(&writes(0..20)).await;
    assert!(bench.batches().iter().all(|batch| batch.len() == 1));
}

#[tokio::test]
async fn organizations_share_no_transaction_and_keep_their_order() {
    let bench = Bench::new(CommitMode::Shared).await;
    bench.hold();
    let all = (0..12_u128).map(|number| bench.batcher.submit(org(number % 3 + 1), (number, Deed::Write)));
    let mut all = pin!(join_all(all));
    assert!(poll_fn(|context| Poll::Ready(all.as_mut().poll(context).is_pending())).await);
    bench.release();
    assert_eq!(answered(all.await), (0..12).collect::<Vec<_>>());
    for batch in bench.batches() {
        assert!(batch.iter().all(|number| number % 3 == batch[0] % 3) && batch.is_sorted(), "{batch:?}");
    }
}

#[tokio::test]
async fn a_deadlock_is_repeated_once_and_then_done_one_by_one() {
    for (failures, most) in [(1, 3), (2, 8)] {
        let bench = Bench::new(CommitMode::Shared).await;
        bench.batcher.submit(org(1), (0, Deed::Write)).await.unwrap();
        for _ in 0..failures {
            bench.db.faults().refuse_commit(Error::Serialization("on request".to_owned()));
        }
        assert_eq!(answered(bench.gathered(&writes(1..=4)).await), [1, 2, 3, 4]);
        assert!(bench.batches().len() <= most, "{:?}", bench.batches());
        assert_eq!(bench.written().await, [0, 1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn one_bad_command_harms_nobody_else() {
    for bad in [Deed::Fail, Deed::Panic] {
        let bench = Bench::new(CommitMode::Shared).await;
        let answers = bench.gathered(&[writes(1..=3), vec![(4, bad)], writes(5..=7)].concat()).await;
        for (answer, number) in answers.iter().zip(1..) {
            match answer {
                Ok(answer) => assert_eq!(*answer, number),
                Err(Unanswered::Failed(Error::Internal(_))) => assert_eq!(number, 4),
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(bench.written().await, [1, 2, 3, 5, 6, 7], "after {bad:?}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_not_asked_for_each() {
    let bench = Bench::new(CommitMode::Shared).await;
    bench.batcher.submit(org(1), (0, Deed::Write)).await.unwrap();
    for _ in 0..20 {
        bench.db.faults().refuse_commit(Error::Away("on request".to_owned()));
    }
    let answers = bench.gathered(&writes(1..=9)).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(Unanswered::Failed(Error::Away(_))))), "{answers:?}");
    assert!(bench.batches().len() <= 4, "{:?}", bench.batches());
    assert_eq!(bench.written().await, [0]);
}

#[tokio::test]
async fn a_lost_answer_is_looked_up() {
    let lost = || Error::Ambiguous("on request".to_owned());
    for happened in [true, false] {
        let bench = Bench::new(CommitMode::Shared).await;
        match happened {
            true => bench.db.faults().lose_answer(lost()),
            false => bench.db.faults().refuse_commit(lost()),
        }
        assert_eq!(answered(bench.gathered(&writes(1..=5)).await), [1, 2, 3, 4, 5]);
        assert_eq!(bench.written().await, [1, 2, 3, 4, 5], "each once, committed before: {happened}");
    }
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_told_as_unknown() {
    let bench = Bench::new(CommitMode::Shared).await;
    bench.notes.0.blind.store(true, Ordering::SeqCst);
    bench.db.faults().lose_answer(Error::Ambiguous("on request".to_owned()));
    let answer = bench.batcher.submit(org(1), (1, Deed::Write)).await;
    assert!(matches!(answer, Err(Unanswered::Failed(Error::Ambiguous(_)))), "{answer:?}");
    assert_eq!(bench.written().await, [1]);
}

#[tokio::test]
async fn who_lost_to_a_failure_joins_the_next_batch() {
    let bench = Bench::new(CommitMode::Shared).await;
    let answers = bench.gathered(&[writes(1..=2), vec![(3, Deed::LoseInCompany)], writes(4..=5)].concat()).await;
    assert_eq!(answered(answers), [1, 2, 3, 4, 5]);
    assert_eq!(bench.batches().last().unwrap(), &[3]);
}

#[tokio::test]
async fn nobody_loses_for_ever() {
    let bench = Bench::new(CommitMode::Shared).await;
    let answer = bench.batcher.submit(org(1), (1, Deed::LoseAlways)).await;
    assert!(matches!(answer, Err(Unanswered::Failed(Error::Serialization(_)))), "{answer:?}");
    assert_eq!(bench.batches().len(), 32);
}

#[tokio::test]
async fn a_full_queue_says_so_at_once() {
    let bench = Bench::new(CommitMode::Shared).await;
    bench.hold();
    // The first is in its transaction; as many as the queue takes wait behind it.
    let mut first = pin!(bench.batcher.submit(org(1), (0, Deed::Write)));
    assert!(poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_pending())).await);
    while bench.notes.0.go.available_permits() == 0 && bench.batcher.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    let all = (1..=batcher::QUEUE as u128).map(|number| bench.batcher.submit(org(1), (number, Deed::Write)));
    let mut all = pin!(join_all(all));
    assert!(poll_fn(|context| Poll::Ready(all.as_mut().poll(context).is_pending())).await);
    let over = bench.batcher.submit(org(1), (1 << 40, Deed::Write)).await;
    assert!(matches!(over, Err(Unanswered::Overloaded)), "{over:?}");
    bench.release();
    assert_eq!(first.await.unwrap(), 0);
    assert_eq!(answered(all.await).len(), batcher::QUEUE);
    assert_eq!(bench.written().await.len(), batcher::QUEUE + 1, "everyone who was let in, and nobody else");
}

#[tokio::test]
async fn who_waits_for_a_dead_task_is_told() {
    let bench = Bench::new(CommitMode::Shared).await;
    let answer = bench.batcher.submit(org(1), (1, Deed::Kill)).await;
    assert!(matches!(answer, Err(Unanswered::Failed(Error::Ambiguous(_)))), "{answer:?}");
    let answer = bench.batcher.submit(org(1), (2, Deed::Write)).await;
    assert!(matches!(answer, Err(Unanswered::Failed(Error::Away(_)))), "{answer:?}");
}

#[tokio::test]
async fn what_was_asked_is_done_although_nobody_waits() {
    let bench = Bench::new(CommitMode::Shared).await;
    bench.hold();
    {
        let mut gone = pin!(bench.batcher.submit(org(1), (1, Deed::Write)));
        assert!(poll_fn(|context| Poll::Ready(gone.as_mut().poll(context).is_pending())).await);
    }
    bench.release();
    bench.batcher.submit(org(1), (2, Deed::Write)).await.unwrap();
    assert_eq!(bench.written().await, [1, 2]);
}

#[tokio::test]
async fn whose_deadline_passed_before_its_turn_is_not_begun() {
    let bench = Bench::new(CommitMode::Shared).await;
    bench.hold();
    let mut first = pin!(bench.batcher.submit(org(1), (1, Deed::Write)));
    assert!(poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_pending())).await);
    while bench.batcher.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    // Behind the first one's transaction until its time is over.
    let late = Deadline::after(Duration::from_millis(5)).carry(bench.batcher.submit(org(1), (2, Deed::Write))).await;
    assert!(late.is_err(), "it was told so");
    let in_time = Deadline::after(Duration::from_secs(600)).carry(bench.batcher.submit(org(1), (3, Deed::Write)));
    let mut in_time = pin!(in_time);
    assert!(poll_fn(|context| Poll::Ready(in_time.as_mut().poll(context).is_pending())).await);
    bench.release();
    assert_eq!((first.await.unwrap(), in_time.await.unwrap().unwrap()), (1, 3));
    assert_eq!(bench.written().await, [1, 3]);
}
