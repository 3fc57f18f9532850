//! Tests batches of orders on a real file: overlaps by arrival, retries, commit faults and lost replies.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use futures::future::join_all;
use voelgoed_app::checkout::ports::OrderStore;
use voelgoed_app::ticketing::ports::PlaceStore;
use voelgoed_domain::ids::EventId;

use super::*;
use crate::db::DbError;
use crate::testing::{CountingEnvironment, TempDir, new_order};
use crate::{Cold, ColdConfig};

struct Fixture {
    cold: Cold,
    _dir: TempDir,
}

fn organization() -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(1))
}

impl Fixture {
    async fn open() -> Self {
        let dir = TempDir::new();
        let cold =
            Cold::open(ColdConfig::embedded(dir.path()), Arc::new(CountingEnvironment::default())).await.unwrap();
        Self { cold, _dir: dir }
    }

    /// Places orders so that they share one batch, behind an opening order that occupies the committer; returns their answers.
    async fn together(&self, orders: &[NewOrder], before: impl FnOnce(&Db)) -> Vec<StoreResult<PlaceOrderResult>> {
        let writer = self.cold.sale.begin(organization()).await.unwrap();
        let opener = new_order(1_000, &[1_000]);
        let all = std::iter::once(&opener).chain(orders).map(|it| self.cold.place_order(organization(), it.clone()));
        let mut all = pin!(join_all(all));
        assert!(poll_fn(|context| Poll::Ready(all.as_mut().poll(context).is_pending())).await);
        // The committer waits with the opening order for the writer, while the others gather.
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
fn texts(answers: Vec<StoreResult<PlaceOrderResult>>) -> Vec<String> {
    let text = |answer: StoreResult<PlaceOrderResult>| match answer {
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
async fn earlier_order_of_a_batch_wins_the_contested_places() {
    let fixture = Fixture::open().await;
    let orders = [
        new_order(1, &[1, 2]),
        new_order(2, &[2, 3]),
        new_order(3, &[3, 4]),
        new_order(4, &[9, 4, 1]),
        new_order(5, &[5]),
    ];
    let answers = fixture.together(&orders, |_| ()).await;
    assert_eq!(texts(answers), ["won", "taken 2 3", "won", "taken 4 1", "won"]);
    let owners: Vec<_> = fixture.owners().await.into_iter().filter(|(place, _)| *place < 1_000).collect();
    assert_eq!(owners, [(1, Some(1)), (2, Some(1)), (3, Some(3)), (4, Some(3)), (5, Some(5))]);
}

#[tokio::test]
async fn order_that_lost_only_to_a_refused_order_is_retried() {
    let fixture = Fixture::open().await;
    fixture.cold.place_order(organization(), new_order(7, &[1])).await.unwrap().unwrap();
    // The first order loses place 1. The second lost place 2 only to the first, the third place 3 only to the second.
    let orders = [new_order(1, &[1, 2]), new_order(2, &[2, 3]), new_order(3, &[3, 4]), new_order(4, &[2])];
    let answers = fixture.together(&orders, |_| ()).await;
    let texts = texts(answers);
    assert_eq!((&*texts[0], &*texts[1]), ("taken 1", "taken 3"), "{texts:?}");
    assert_eq!((&*texts[2], &*texts[3]), ("won", "won"), "{texts:?}");
    let owners = fixture.owners().await;
    assert_eq!((owners[&2], owners[&3], owners[&4]), (Some(4), Some(3), Some(3)));
}

#[tokio::test]
async fn repeats_in_a_batch_are_answered_from_the_first_order() {
    let fixture = Fixture::open().await;
    let first = new_order(1, &[1]);
    let other_key = NewOrder { idempotency: new_order(2, &[1]).idempotency, id: new_order(2, &[]).id, ..first.clone() };
    let again = NewOrder { id: new_order(3, &[]).id, ..first.clone() };
    let answers = fixture.together(&[first, other_key, again], |_| ()).await;
    assert_eq!(texts(answers), ["won", "already_ordered", "replayed order 1"]);
}

#[tokio::test]
async fn commit_faults_and_lost_replies_end_in_the_same_orders() {
    type Fault = fn(&Db);
    let faults: [(&str, Fault); 5] = [
        ("deadlock", |db| db.commit_faults().fail_before_commit(DbError::Serialization(String::new()))),
        ("fault", |db| db.commit_faults().fail_before_commit(DbError::internal("on request"))),
        ("lost after", |db| db.commit_faults().fail_after_commit(DbError::Ambiguous(String::new()))),
        ("lost before", |db| db.commit_faults().fail_before_commit(DbError::Ambiguous(String::new()))),
        ("both", |db| {
            db.commit_faults().fail_before_commit(DbError::Ambiguous(String::new()));
            db.commit_faults().fail_after_commit(DbError::Ambiguous(String::new()));
        }),
    ];
    for (name, fault) in faults {
        let fixture = Fixture::open().await;
        let orders = [new_order(1, &[1, 2]), new_order(2, &[2]), new_order(3, &[3])];
        let answers = fixture.together(&orders, fault).await;
        assert_eq!(texts(answers), ["won", "taken 2", "won"], "{name}");
        assert_eq!(fixture.owners().await.len(), 4, "{name}");
    }
}

#[tokio::test]
async fn acknowledged_order_is_there_after_reopening() {
    let dir = TempDir::new();
    let open = || async {
        Cold::open(ColdConfig::embedded(dir.path()), Arc::new(CountingEnvironment::default())).await.unwrap()
    };
    let cold = open().await;
    let placed = new_order(1, &[1, 2]);
    cold.place_order(organization(), placed.clone()).await.unwrap().unwrap();
    drop(cold);
    let cold = open().await;
    assert_eq!(cold.order_of_hold(organization(), placed.hold).await.unwrap(), Some(placed.id));
    let taken = cold.place_order(organization(), new_order(2, &[2])).await;
    assert_eq!(texts(vec![taken]), ["taken 2"]);
}
