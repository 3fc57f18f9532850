//! Tests the store layer on a real SQLite file: transactions, chunks of rows, wakeups, deadlines.

use uuid::Uuid;

use super::*;
use crate::testing::TempDir;

const PUT: Sql = sql(
    "test.put",
    "insert into places (organization_id, event_id, place, state, owner_id, version) values {rows:6}
     on conflict (organization_id, event_id, place) do update
     set state = excluded.state, owner_id = excluded.owner_id, version = places.version + 1
     where places.state = 'free'
     returning place, version",
);
const COUNT: Sql = sql("test.count", "select count(*) from places where organization_id = $1");
const BY_NUMBER: Sql = sql(
    "test.some",
    "select p.place, p.owner_id from (values {rows:1 $1}) v
     join places p on p.organization_id = v.column2 and p.event_id = $2 and p.place = v.column1 order by p.place {for_update}",
);

const ORG: Uuid = Uuid::from_u128(1);

fn place(org: Uuid, event: Uuid, number: u32, owner: Option<Uuid>) -> [Value; 6] {
    row![org, event, number, if owner.is_some() { "claimed" } else { "free" }, owner, 1_i64]
}

#[tokio::test]
async fn rows_are_written_and_read_back_in_chunks() {
    let dir = TempDir::new();
    let db = Db::open_sqlite(dir.path()).await.unwrap();
    let [org, event, owner] = [1, 2, 3].map(Uuid::from_u128);
    let mut tx = db.begin(TxScope::Tenant(ORG)).await.unwrap();
    let rows: Vec<_> = (0..100).map(|number| place(org, event, number, (number % 2 == 0).then_some(owner))).collect();
    let put: Vec<(i64, i64)> = tx.fetch_rows(PUT, vec![], rows).await.unwrap();
    assert_eq!(put, (0..100).map(|number| (number, 1)).collect::<Vec<_>>());
    // Again: only free places change, and their version is raised.
    let again: Vec<(i64, i64)> = tx
        .fetch_rows(PUT, vec![], (0..4).map(|number| place(org, event, number, Some(owner))).collect())
        .await
        .unwrap();
    assert_eq!(again, [(1, 2), (3, 2)]);
    tx.commit().await.unwrap();
    let wanted = [5, 7, 2, 999].map(|number: i64| row![number]).to_vec();
    let found: Vec<(i64, Option<Uuid>)> =
        db.fetch_rows(TxScope::Tenant(ORG), BY_NUMBER, binds![org, event], wanted).await.unwrap();
    let mut found = found;
    found.sort_unstable();
    assert_eq!(found, [(2, Some(owner)), (5, None), (7, None)]);
}

#[tokio::test]
async fn uncommitted_transaction_is_rolled_back_and_frees_the_writer() {
    let dir = TempDir::new();
    let db = Db::open_sqlite(dir.path()).await.unwrap();
    let [org, event] = [1, 2].map(Uuid::from_u128);
    for dropped in [true, false] {
        let mut tx = db.begin(TxScope::Tenant(ORG)).await.unwrap();
        tx.execute_rows(PUT, vec![], vec![place(org, event, 1, None)]).await.unwrap();
        if dropped {
            drop(tx);
        } else {
            tx.rollback().await.unwrap();
        }
    }
    assert_eq!(db.fetch_all::<(i64,)>(TxScope::Tenant(ORG), COUNT, binds![org]).await.unwrap(), [(0,)]);
}

#[tokio::test]
async fn transaction_waits_for_the_disk_after_an_unflushed_one() {
    const SYNCHRONOUS: Sql = sql("test.synchronous", "pragma synchronous");
    const FULL: i64 = 2;
    let dir = TempDir::new();
    let db = Db::open_sqlite(dir.path()).await.unwrap();
    for committed in [true, false] {
        let mut unflushed = db.begin_unflushed(SystemRole::Relay).await.unwrap();
        assert_eq!(unflushed.fetch_all::<(i64,)>(SYNCHRONOUS, vec![]).await.unwrap(), [(FULL - 1,)]);
        match committed {
            true => unflushed.commit().await.unwrap(),
            false => drop(unflushed),
        }
        let mut flushed = db.begin(TxScope::Tenant(ORG)).await.unwrap();
        assert_eq!(flushed.fetch_all::<(i64,)>(SYNCHRONOUS, vec![]).await.unwrap(), [(FULL,)]);
    }
}

#[tokio::test]
async fn snapshot_sees_one_moment_and_cannot_write() {
    let dir = TempDir::new();
    let db = Db::open_sqlite(dir.path()).await.unwrap();
    let [org, event] = [1, 2].map(Uuid::from_u128);
    let mut snapshot = db.snapshot(TxScope::Tenant(ORG)).await.unwrap();
    assert_eq!(snapshot.fetch_all::<(i64,)>(COUNT, binds![org]).await.unwrap(), [(0,)]);
    let mut tx = db.begin(TxScope::Tenant(ORG)).await.unwrap();
    tx.execute_rows(PUT, vec![], vec![place(org, event, 1, None)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(snapshot.fetch_all::<(i64,)>(COUNT, binds![org]).await.unwrap(), [(0,)]);
    assert!(snapshot.execute_rows(PUT, vec![], vec![place(org, event, 2, None)]).await.is_err());
    drop(snapshot);
    assert_eq!(db.fetch_all::<(i64,)>(TxScope::Tenant(ORG), COUNT, binds![org]).await.unwrap(), [(1,)]);
}

#[tokio::test]
async fn schema_of_a_newer_program_is_refused() {
    let dir = TempDir::new();
    let db = Db::open_sqlite(dir.path()).await.unwrap();
    let mut tx = db.begin(TxScope::Tenant(ORG)).await.unwrap();
    tx.execute(
        sql("test.newer", "insert into schema_steps (number, name, checksum) values (9999, 'newer', x'00')"),
        vec![],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    db.close().await;
    let refused = Db::open_sqlite(dir.path()).await.unwrap_err();
    assert!(refused.to_string().contains("step 9999"), "{refused}");
}

#[tokio::test]
async fn commit_wakes_the_runner_of_its_rows_and_a_dropped_transaction_wakes_none() {
    let dir = TempDir::new();
    let db = Db::open_sqlite(dir.path()).await.unwrap();
    let mut tx = db.begin(TxScope::Tenant(ORG)).await.unwrap();
    tx.wake_relay_after_commit();
    drop(tx);
    let mut tx = db.begin(TxScope::Tenant(ORG)).await.unwrap();
    tx.wake_jobs_after_commit();
    tx.commit().await.unwrap();
    let deadline = std::time::Duration::from_millis(200);
    assert!(tokio::time::timeout(deadline, db.wakeups().jobs().notified()).await.is_ok());
    assert!(tokio::time::timeout(deadline, db.wakeups().outbox().notified()).await.is_err());
}

#[tokio::test]
async fn request_past_its_deadline_begins_no_transaction() {
    let dir = TempDir::new();
    let db = Db::open_sqlite(dir.path()).await.unwrap();
    let late = async {
        // Spins past the deadline, so that only the store can notice.
        while !Deadline::current().unwrap().passed() {
            std::hint::spin_loop();
        }
        let writes = db.begin(TxScope::Tenant(ORG)).await.map(drop);
        let reads = db.fetch_all::<(i64,)>(TxScope::Tenant(ORG), COUNT, binds![ORG]).await.map(drop);
        [writes, reads]
    };
    let answers = Deadline::after(std::time::Duration::from_millis(5)).scope(late).await.unwrap();
    for answer in answers {
        assert!(matches!(&answer, Err(DbError::Unavailable(why)) if why.contains("deadline")), "{answer:?}");
    }
    db.begin(TxScope::Tenant(ORG)).await.unwrap().commit().await.unwrap();
}
