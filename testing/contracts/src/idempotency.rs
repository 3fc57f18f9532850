//! What `IdempotencyStore` promises: records of one caller and one organization, replayed while they are young.
//!
//! Records are made by creating venues.

use std::time::Duration;

use bytes::Bytes;
use voelgoed_app::accounts::ports::AccountStore;
use voelgoed_app::catalog::ports::{CatalogStore, Venue};
use voelgoed_app::checkout::ports::IdempotencyStore;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::idempotency::{Created, IdempotencyKey, IdempotencyRecord, KEPT_FOR};
use voelgoed_app::page::PageRequest;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::Refusal;

use crate::catalogue::{made, organization};
use crate::subject::{Subject, TestEnvironment};

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! idempotency_store_suite {
    ($open:expr) => {
        $crate::cases! { idempotency, $open;
            a_record_is_found_by_its_own_caller_while_it_is_young
            an_old_record_gives_way
            of_many_repeats_at_once_one_creates
        }
    };
}

/// A record that is given now, of a request under the key `k`.
pub fn a_record(
    environment: &TestEnvironment,
    scope: &str,
    request: [u8; 32],
    answer: &'static str,
) -> IdempotencyRecord {
    let key = IdempotencyKey { scope: scope.into(), key: "k".into(), request };
    IdempotencyRecord { key, answer: Bytes::from_static(answer.as_bytes()), at: environment.now() }
}

/// What the cases need of an adapter.
pub trait Records: AccountStore + CatalogStore + IdempotencyStore {}
impl<S: AccountStore + CatalogStore + IdempotencyStore> Records for S {}

async fn create<S: Records>(
    store: &S,
    environment: &TestEnvironment,
    organization: OrganizationId,
    record: IdempotencyRecord,
) -> Result<Created<()>, Refusal> {
    let venue = Venue { id: fresh(environment), name: "Town Hall".into(), address: "1 Main Street".into() };
    store.create_venue(organization, venue, Some(record)).await.unwrap()
}

/// Another scope, key, or organization finds nothing; neither does who comes too late.
pub async fn a_record_is_found_by_its_own_caller_while_it_is_young<S: Records>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let record = a_record(&subject.environment, "key_1", [1; 32], "answer");
    made(create(&*subject.store, &subject.environment, a, record.clone()).await);
    let find = |organization, key: IdempotencyKey, now| {
        let store = &subject.store;
        async move { store.find(organization, &key, now).await.unwrap() }
    };
    let now = record.at;
    let found = find(a, record.key.clone(), now).await.unwrap();
    assert_eq!((found.key, found.answer, found.at), (record.key.clone(), record.answer.clone(), record.at));
    let asked_otherwise = IdempotencyKey { request: [9; 32], ..record.key.clone() };
    assert_eq!(
        find(a, asked_otherwise, now).await.unwrap().key.request,
        [1; 32],
        "the stored request, to compare with"
    );
    assert!(find(b, record.key.clone(), now).await.is_none());
    assert!(find(a, IdempotencyKey { scope: "key_2".into(), ..record.key.clone() }, now).await.is_none());
    assert!(find(a, IdempotencyKey { key: "l".into(), ..record.key.clone() }, now).await.is_none());
    let end = now.plus(KEPT_FOR);
    assert!(find(a, record.key.clone(), end.minus(Duration::from_micros(1))).await.is_some());
    assert!(find(a, record.key.clone(), end).await.is_none());
}

/// A key may be used anew when its record is over.
pub async fn an_old_record_gives_way<S: Records>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let environment = &*subject.environment;
    made(create(&*subject.store, environment, organization, a_record(environment, "s", [1; 32], "first")).await);
    environment.advance(KEPT_FOR - Duration::from_micros(1));
    let repeat =
        create(&*subject.store, environment, organization, a_record(environment, "s", [1; 32], "second")).await;
    assert!(matches!(repeat.unwrap(), Created::Replayed(answer) if answer == "first"));
    environment.advance(Duration::from_micros(1));
    made(create(&*subject.store, environment, organization, a_record(environment, "s", [2; 32], "third")).await);
    let repeat =
        create(&*subject.store, environment, organization, a_record(environment, "s", [2; 32], "fourth")).await;
    assert!(matches!(repeat.unwrap(), Created::Replayed(answer) if answer == "third"));
}

/// The others hear its answer.
pub async fn of_many_repeats_at_once_one_creates<S: Records>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let repeats = (0..16).map(|_| {
        let (store, environment) = (subject.store.clone(), subject.environment.clone());
        tokio::spawn(async move {
            let record = a_record(&environment, "s", [1; 32], "answer");
            matches!(create(&*store, &environment, organization, record).await.unwrap(), Created::Fresh(()))
        })
    });
    let mut fresh = 0;
    for repeat in repeats.collect::<Vec<_>>() {
        fresh += u32::from(repeat.await.unwrap());
    }
    assert_eq!(fresh, 1);
    assert_eq!(subject.store.venues(organization, PageRequest::default()).await.unwrap().items.len(), 1);
}
