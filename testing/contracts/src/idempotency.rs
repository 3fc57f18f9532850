//! Contract tests of `IdempotencyStore`: records belong to one caller and organization, and are replayed until they expire.
//!
//! The tests write records by creating venues.

use std::time::Duration;

use bytes::Bytes;
use voelgoed_app::accounts::ports::AccountStore;
use voelgoed_app::catalog::ports::{CatalogStore, Venue};
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::idempotency::IdempotencyStore;
use voelgoed_app::idempotency::{ANSWER_RETENTION, Created, IdempotencyKey, IdempotencyRecord};
use voelgoed_app::page::PageRequest;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::Refusal;

use crate::catalog_fixtures::{expect_created, stored_organization};
use crate::sut::{Sut, TestEnvironment};

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! idempotency_store_suite {
    ($open:expr) => {
        $crate::cases! { idempotency, $open;
            record_is_found_by_its_caller_until_it_expires
            expired_record_is_replaced
            one_of_many_concurrent_repeats_creates
        }
    };
}

/// A record with the present time, of a request with the key `k`.
pub fn idempotency_record(
    environment: &TestEnvironment,
    caller: &str,
    request: [u8; 32],
    answer: &'static str,
) -> IdempotencyRecord {
    let key = IdempotencyKey { caller: caller.into(), key: "k".into(), request };
    IdempotencyRecord { key, answer: Bytes::from_static(answer.as_bytes()), at: environment.now() }
}

/// The ports that the cases need.
pub trait IdempotencyTier: AccountStore + CatalogStore + IdempotencyStore {}
impl<S: AccountStore + CatalogStore + IdempotencyStore> IdempotencyTier for S {}

async fn create<S: IdempotencyTier>(
    store: &S,
    environment: &TestEnvironment,
    organization: OrganizationId,
    record: IdempotencyRecord,
) -> Result<Created<()>, Refusal> {
    let venue = Venue { id: new_id(environment), name: "Town Hall".into(), address: "1 Main Street".into() };
    store.create_venue(organization, venue, Some(record)).await.unwrap()
}

/// Another caller, key or organization finds no record, and after the retention time the record's own caller finds none either.
pub async fn record_is_found_by_its_caller_until_it_expires<S: IdempotencyTier>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let record = idempotency_record(&sut.environment, "key_1", [1; 32], "answer");
    expect_created(create(&*sut.store, &sut.environment, a, record.clone()).await);
    let find = |organization, key: IdempotencyKey, now| {
        let store = &sut.store;
        async move { store.find(organization, &key, now).await.unwrap() }
    };
    let now = record.at;
    let found = find(a, record.key.clone(), now).await.unwrap();
    assert_eq!((found.key, found.answer, found.at), (record.key.clone(), record.answer.clone(), record.at));
    let other_request = IdempotencyKey { request: [9; 32], ..record.key.clone() };
    assert_eq!(find(a, other_request, now).await.unwrap().key.request, [1; 32], "the stored request, to compare with");
    assert!(find(b, record.key.clone(), now).await.is_none());
    assert!(find(a, IdempotencyKey { caller: "key_2".into(), ..record.key.clone() }, now).await.is_none());
    assert!(find(a, IdempotencyKey { key: "l".into(), ..record.key.clone() }, now).await.is_none());
    let end = now.plus(ANSWER_RETENTION);
    assert!(find(a, record.key.clone(), end.minus(Duration::from_micros(1))).await.is_some());
    assert!(find(a, record.key.clone(), end).await.is_none());
}

/// A key may be used again after its record has expired.
pub async fn expired_record_is_replaced<S: IdempotencyTier>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let environment = &*sut.environment;
    expect_created(
        create(&*sut.store, environment, organization, idempotency_record(environment, "s", [1; 32], "first")).await,
    );
    environment.advance(ANSWER_RETENTION - Duration::from_micros(1));
    let repeat =
        create(&*sut.store, environment, organization, idempotency_record(environment, "s", [1; 32], "second")).await;
    assert!(matches!(repeat.unwrap(), Created::Replayed(answer) if answer == "first"));
    environment.advance(Duration::from_micros(1));
    expect_created(
        create(&*sut.store, environment, organization, idempotency_record(environment, "s", [2; 32], "third")).await,
    );
    let repeat =
        create(&*sut.store, environment, organization, idempotency_record(environment, "s", [2; 32], "fourth")).await;
    assert!(matches!(repeat.unwrap(), Created::Replayed(answer) if answer == "third"));
}

/// The other fifteen requests replay its answer.
pub async fn one_of_many_concurrent_repeats_creates<S: IdempotencyTier>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let repeats = (0..16).map(|_| {
        let (store, environment) = (sut.store.clone(), sut.environment.clone());
        tokio::spawn(async move {
            let record = idempotency_record(&environment, "s", [1; 32], "answer");
            matches!(create(&*store, &environment, organization, record).await.unwrap(), Created::Fresh(()))
        })
    });
    let mut created = 0;
    for repeat in repeats.collect::<Vec<_>>() {
        created += u32::from(repeat.await.unwrap());
    }
    assert_eq!(created, 1);
    assert_eq!(sut.store.venues(organization, PageRequest::default()).await.unwrap().items.len(), 1);
}
