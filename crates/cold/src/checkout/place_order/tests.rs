//! The committer's cases with orders: overlaps by arrival, losers of losers, faults and lost answers, on a real file.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use futures::future::join_all;
use voelgoed_app::checkout::ports::OrderStore;
use voelgoed_app::ticketing::ports::PlaceStore;
use voelgoed_domain::ids::EventId;

use super::*;
use crate::db::Error;
use crate::testing::{Counting, TempDir, order};
use crate::{Cold, ColdConfig};

struct Bench {
    cold: Cold,
    _dir: TempDir,
}

fn organization() -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(1))
}

impl Bench {
    async fn open() -> Self {
        let dir = TempDir::new();
        let cold = Cold::open(ColdConfig::embedded(dir.path()), Arc::new(Counting::default())).await.unwrap();
        Self { cold, _dir: dir }
    }

    /// Places orders so that all but the first, of a place of its own, share one batch; what the others are told.
    async fn together(&self, orders: &[NewOrder], before: impl FnOnce(&Db)) -> Vec<StoreResult<Answer>> {
        let writer = self.cold.sale.begin(organization()).await.unwrap();
        let opener = order(1_000, &[1_000]);
        let all = std::iter::once(&opener).chain(orders).map(|it| self.cold.place_order(organization(), it.clone()));
        let mut all = pin!(join_all(all));
        assert!(poll_fn(|context| Poll::Ready(all.as_mut().poll(context).is_pending())).await);
        // The task takes the first to the writer, which is not free, while the others gather.
        tokio::task::yield_now().await;
        before(&self.cold.sale);
        drop(writer);
        let mut answers = all.await;
        assert!(matches!(answers.remove(0), Ok(Ok(Created::Fresh(())))));
        answers
    }

    async fn owners(&self) -> BTreeMap<u32, Option<u128>> {
        let event = EventId::from_uuid(Uuid::from_u128(1));
        let inventory = self.cold.read_inventory(organization(), event).await.unwrap();
        inventory.places.iter().map(|effect| (effect.place.0, effect.owner.map(|owner| owner.as_u128()))).collect()
    }
}

/// `won`, the taken places, or the fault.
fn told(answers: Vec<StoreResult<Answer>>) -> Vec<String> {
    let text = |answer: StoreResult<Answer>| match answer {
        Ok(Ok(Created::Fresh(()))) => "won".to_owned(),
        Ok(Ok(Created::Replayed(body))) => format!("replayed {}", String::from_utf8_lossy(&body)),
        Ok(Err(Refusal { code: Code::PlaceTaken, evidence, .. })) => {
            let places: Vec<_> = evidence.places.iter().map(|place| place.0.to_string()).collect();
            format!("taken {}", places.join(" "))
        }
        Ok(Err(refusal)) => refusal.code.as_str().to_owned(),
        Err(fault) => fault.to_string(),
    };
    answers.into_iter().map(text).collect()
}

#[tokio::test]
async fn overlaps_in_a_batch_are_settled_by_arrival() {
    let bench = Bench::open().await;
    let orders = [order(1, &[1, 2]), order(2, &[2, 3]), order(3, &[3, 4]), order(4, &[9, 4, 1]), order(5, &[5])];
    let answers = bench.together(&orders, |_| ()).await;
    assert_eq!(told(answers), ["won", "taken 2 3", "won", "taken 4 1", "won"]);
    let owners: Vec<_> = bench.owners().await.into_iter().filter(|(place, _)| *place < 1_000).collect();
    assert_eq!(owners, [(1, Some(1)), (2, Some(1)), (3, Some(3)), (4, Some(3)), (5, Some(5))]);
}

#[tokio::test]
async fn who_lost_only_to_a_loser_is_asked_again() {
    let bench = Bench::open().await;
    bench.cold.place_order(organization(), order(7, &[1])).await.unwrap().unwrap();
    // The first of them loses place 1; the second lost place 2 only to it, the third place 3 only to the second.
    let orders = [order(1, &[1, 2]), order(2, &[2, 3]), order(3, &[3, 4]), order(4, &[2])];
    let answers = bench.together(&orders, |_| ()).await;
    let told = told(answers);
    assert_eq!((&*told[0], &*told[1]), ("taken 1", "taken 3"), "{told:?}");
    assert_eq!((&*told[2], &*told[3]), ("won", "won"), "{told:?}");
    let owners = bench.owners().await;
    assert_eq!((owners[&2], owners[&3], owners[&4]), (Some(4), Some(3), Some(3)));
}

#[tokio::test]
async fn repeats_in_a_batch_read_what_became_of_the_first() {
    let bench = Bench::open().await;
    let first = order(1, &[1]);
    let other_key = NewOrder { idempotency: order(2, &[1]).idempotency, id: order(2, &[]).id, ..first.clone() };
    let again = NewOrder { id: order(3, &[]).id, ..first.clone() };
    let answers = bench.together(&[first, other_key, again], |_| ()).await;
    assert_eq!(told(answers), ["won", "already_ordered", "replayed order 1"]);
}

#[tokio::test]
async fn faults_and_lost_answers_end_in_the_same_orders() {
    type Fault = fn(&Db);
    let faults: [(&str, Fault); 5] = [
        ("deadlock", |db| db.faults().refuse_commit(Error::Serialization(String::new()))),
        ("fault", |db| db.faults().refuse_commit(Error::internal("on request"))),
        ("lost after", |db| db.faults().lose_answer(Error::Ambiguous(String::new()))),
        ("lost before", |db| db.faults().refuse_commit(Error::Ambiguous(String::new()))),
        ("both", |db| {
            db.faults().refuse_commit(Error::Ambiguous(String::new()));
            db.faults().lose_answer(Error::Ambiguous(String::new()));
        }),
    ];
    for (name, fault) in faults {
        let bench = Bench::open().await;
        let orders = [order(1, &[1, 2]), order(2, &[2]), order(3, &[3])];
        let answers = bench.together(&orders, fault).await;
        assert_eq!(told(answers), ["won", "taken 2", "won"], "{name}");
        assert_eq!(bench.owners().await.len(), 4, "{name}");
    }
}

#[tokio::test]
async fn what_was_answered_is_there_after_reopening() {
    let dir = TempDir::new();
    let open = || async { Cold::open(ColdConfig::embedded(dir.path()), Arc::new(Counting::default())).await.unwrap() };
    let cold = open().await;
    let placed = order(1, &[1, 2]);
    cold.place_order(organization(), placed.clone()).await.unwrap().unwrap();
    drop(cold);
    let cold = open().await;
    assert_eq!(cold.order_of_hold(organization(), placed.hold).await.unwrap(), Some(placed.id));
    let taken = cold.place_order(organization(), order(2, &[2])).await;
    assert_eq!(told(vec![taken]), ["taken 2"]);
}
