//! Tests on both engines that an undecodable row blocks only its own aggregate.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;
use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::jobs::ports::{JobEnd, JobStore, NewJob, Queue};
use voelgoed_app::outbox::event::TakenRows;
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_cold::Cold;
use voelgoed_cold::db::{Sql, SystemRole, Value, sql};
use voelgoed_contracts::catalog_fixtures;
use voelgoed_contracts::sut::Sut;
use voelgoed_domain::catalog::event::Event;

const LEASE: Duration = Duration::from_secs(30);
/// Longer than every pause of a parked row.
const LONGER_THAN_ALL_PAUSES: Duration = Duration::from_secs(120);
const KINDS: [&str; 1] = ["test.kind"];

const BODY: Sql = sql("test.body", "update outbox set body = $1 where aggregate = $2 and version = $3");
const FORMAT: Sql = sql("test.format", "update outbox set format = $1 where aggregate = $2 and version = 1");
const VERSION: Sql = sql("test.version", "update outbox set version = $1 where aggregate = $2 and version = 1");
const FIRST_BODY: Sql = sql("test.first_body", "select body from outbox where aggregate = $1 and version = $2");
const TAKE_WITHOUT_FORMATS: Sql = sql(
    "test.old_reader",
    "select aggregate from outbox o where o.delivered_at is null and o.due_at <= $1
       and not exists (select 1 from outbox e where e.organization_id = o.organization_id and e.aggregate = o.aggregate
          and e.delivered_at is null and e.due_at > $1 and (e.version, e.part, e.id) < (o.version, o.part, o.id))",
);
const PAYLOAD: Sql = sql("test.payload", "update jobs set payload = $1 where id = $2");
const NEWER: Sql = sql(
    "test.newer",
    "update outbox set format = 2, format_due_at = at, due_at = $1 where aggregate = $2 and version = 1",
);

async fn change(sut: &Sut<Cold>, event: &Event) {
    let ticket_type = catalog_fixtures::new_ticket_type(&sut.environment, event.id);
    let now = sut.environment.now();
    catalog_fixtures::expect_created(
        sut.store.create_ticket_type(event.organization, ticket_type, now, None).await.unwrap(),
    );
}

/// Three aggregates with two rows each; tests corrupt the first one.
async fn events(sut: &Sut<Cold>) -> [Event; 3] {
    let organization = catalog_fixtures::stored_organization(sut).await;
    let mut events = Vec::new();
    for _ in 0..3 {
        let event = catalog_fixtures::stored_event(sut, organization).await;
        change(sut, &event).await;
        events.push(event);
    }
    events.try_into().unwrap()
}

async fn execute(sut: &Sut<Cold>, role: SystemRole, statement: Sql, values: Vec<Value>) {
    let mut tx = sut.store.db().begin(role).await.unwrap();
    assert_eq!(tx.execute(statement, values).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

fn uuid(id: Uuid) -> Value {
    Value::Uuid(Some(id))
}

fn number(number: i64) -> Value {
    Value::Int(Some(number))
}

fn text(text: &str) -> Value {
    Value::Text(Some(text.to_owned()))
}

async fn take(sut: &Sut<Cold>) -> TakenRows {
    sut.store.take(100, sut.environment.now(), LEASE).await.unwrap()
}

fn versions(taken: &TakenRows) -> BTreeMap<Uuid, Vec<u32>> {
    let mut versions = BTreeMap::<Uuid, Vec<u32>>::new();
    for row in &taken.rows {
        versions.entry(row.aggregate).or_default().push(row.version);
    }
    versions
}

/// For each kind of undecodable body: the other aggregates are taken, and the corrupt one is taken completely once its row is repaired.
pub async fn outbox_row_that_cannot_be_decoded_parks_its_aggregate_alone(sut: Sut<Cold>) {
    for body in [
        r#"{"v":1,"fact":{"fact":"a_later_invention","event":"x"}}"#,
        r#"{"v":2,"fact":{"fact":"listing_changed"}}"#,
        r#"{"v":1,"fact":{"fact":"listing_changed"}}"#,
        r#"{"v":1"#,
        r#"{"v":-1,"fact":null}"#,
        "null",
        "",
    ] {
        let [corrupt, second, third] = events(&sut).await;
        let aggregate = corrupt.id.uuid();
        let found = sut.store.db().fetch_optional(SystemRole::Relay, FIRST_BODY, vec![uuid(aggregate), number(1)]);
        let (valid,): (String,) = found.await.unwrap().unwrap();
        execute(&sut, SystemRole::Relay, BODY, vec![text(body), uuid(aggregate), number(1)]).await;
        let taken = take(&sut).await;
        let others: BTreeMap<_, _> = [(second.id.uuid(), vec![1, 2]), (third.id.uuid(), vec![1, 2])].into();
        assert_eq!(versions(&taken), others, "{body}");
        assert_eq!(taken.parked.iter().map(|row| row.aggregate).collect::<Vec<_>>(), [aggregate], "{body}");
        let ids: Vec<_> = taken.rows.iter().map(|row| row.id).collect();
        sut.store.delivered(&ids, sut.environment.now()).await.unwrap();
        assert_eq!(take(&sut).await, TakenRows::default(), "the aggregate is paused: {body}");
        let unreadable = OutboxStore::unreadable(&*sut.store, 10).await.unwrap();
        assert_eq!(unreadable.len(), 1, "{body}");
        assert!(unreadable[0].is_malformed && !unreadable[0].reason.is_empty(), "{unreadable:?}");
        sut.environment.advance(LONGER_THAN_ALL_PAUSES);
        assert_eq!(take(&sut).await.parked.len(), 1, "the row is decoded again: {body}");
        execute(&sut, SystemRole::Relay, BODY, vec![text(&valid), uuid(aggregate), number(1)]).await;
        sut.environment.advance(LONGER_THAN_ALL_PAUSES);
        let taken = take(&sut).await;
        assert_eq!(versions(&taken), [(aggregate, vec![1, 2])].into(), "{body}");
        let ids: Vec<_> = taken.rows.iter().map(|row| row.id).collect();
        sut.store.delivered(&ids, sut.environment.now()).await.unwrap();
        assert!(OutboxStore::unreadable(&*sut.store, 10).await.unwrap().is_empty());
    }
}

/// Rows before the undecodable one are taken, rows behind it wait. The undecodable column may also be the version.
pub async fn rows_ahead_of_an_unreadable_row_are_taken(sut: Sut<Cold>) {
    let [corrupt, ..] = events(&sut).await;
    change(&sut, &corrupt).await;
    let aggregate = corrupt.id.uuid();
    execute(&sut, SystemRole::Relay, BODY, vec![text("{}"), uuid(aggregate), number(2)]).await;
    let taken = take(&sut).await;
    assert_eq!(versions(&taken)[&aggregate], [1]);
    assert_eq!(taken.parked.len(), 1);
    let [other, ..] = events(&sut).await;
    execute(&sut, SystemRole::Relay, VERSION, vec![number(-7), uuid(other.id.uuid())]).await;
    let taken = take(&sut).await;
    assert_eq!(taken.parked.iter().map(|row| row.aggregate).collect::<Vec<_>>(), [other.id.uuid()]);
    assert_eq!(versions(&taken).len(), 2, "{taken:?}");
}

/// A row of a newer format is neither taken nor parked; it is listed, and its aggregate waits.
pub async fn row_of_an_unknown_format_is_left_to_newer_programs(sut: Sut<Cold>) {
    let [newer, ..] = events(&sut).await;
    execute(&sut, SystemRole::Relay, FORMAT, vec![number(99), uuid(newer.id.uuid())]).await;
    let taken = take(&sut).await;
    assert_eq!((versions(&taken).len(), taken.parked.len()), (2, 0));
    assert!(!versions(&taken).contains_key(&newer.id.uuid()));
    let unreadable = OutboxStore::unreadable(&*sut.store, 10).await.unwrap();
    let [row] = &unreadable[..] else { panic!("{unreadable:?}") };
    assert!(!row.is_malformed && row.reason.contains("format 99"), "{row:?}");
}

/// The query of a program from before formats skips a row of a newer format and the later rows of its aggregate.
pub async fn program_without_formats_does_not_see_newer_rows(sut: Sut<Cold>) {
    let [newer, second, third] = events(&sut).await;
    execute(&sut, SystemRole::Relay, NEWER, vec![number(i64::MAX), uuid(newer.id.uuid())]).await;
    let now = number(sut.environment.now().micros());
    let seen: Vec<(Uuid,)> =
        sut.store.db().fetch_all(SystemRole::Relay, TAKE_WITHOUT_FORMATS, vec![now]).await.unwrap();
    let seen: Vec<Uuid> = seen.into_iter().map(|(aggregate,)| aggregate).collect();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|aggregate| [second.id.uuid(), third.id.uuid()].contains(aggregate)));
}

/// A job of an unknown kind or with an undecodable payload waits; other jobs run, and no attempt is counted.
pub async fn undecodable_job_blocks_no_other_job(sut: Sut<Cold>) {
    let environment = &*sut.environment;
    let job = |kind| NewJob {
        id: new_id(environment),
        organization: None,
        kind,
        queue: Queue::Upkeep,
        payload: json!({"n": 1}),
        run_at: environment.now(),
        unique_key: None,
        max_attempts: 2,
    };
    let (corrupt, newer, good) = (job("test.kind"), job("test.newer"), job("test.kind"));
    sut.store.enqueue(vec![corrupt.clone(), newer.clone()]).await.unwrap();
    execute(&sut, SystemRole::Jobs, PAYLOAD, vec![text("{broken"), uuid(corrupt.id.uuid())]).await;
    sut.store.enqueue(vec![good.clone()]).await.unwrap();
    let lease = async |kinds: &[&'static str]| {
        sut.store.lease(Queue::Upkeep, kinds, 10, environment.now(), LEASE).await.unwrap()
    };
    let leased = lease(&KINDS).await;
    assert_eq!(leased.iter().map(|job| job.id).collect::<Vec<_>>(), [good.id]);
    assert!(sut.store.end(good.id, leased[0].lease, JobEnd::Done, environment.now()).await.unwrap());
    for _ in 0..3 {
        environment.advance(LONGER_THAN_ALL_PAUSES);
        assert!(lease(&KINDS).await.is_empty(), "neither job is leased");
        let unreadable = JobStore::unreadable(&*sut.store, &KINDS, environment.now(), 10).await.unwrap();
        let mut ids: Vec<_> = unreadable.iter().map(|job| job.id).collect();
        ids.sort_unstable();
        let mut expected = [corrupt.id, newer.id];
        expected.sort_unstable();
        assert_eq!(ids, expected);
    }
    assert!(sut.store.dead(10).await.unwrap().is_empty());
    execute(&sut, SystemRole::Jobs, PAYLOAD, vec![text("{}"), uuid(corrupt.id.uuid())]).await;
    environment.advance(LONGER_THAN_ALL_PAUSES);
    let leased = lease(&["test.kind", "test.newer"]).await;
    assert_eq!(leased.iter().map(|job| job.attempt).collect::<Vec<_>>(), [1, 1], "no attempt was counted");
}

/// Runs every case as a test.
macro_rules! unreadable_cases {
    ($open:expr) => {
        $crate::unreadable::each! { $open;
            outbox_row_that_cannot_be_decoded_parks_its_aggregate_alone
            rows_ahead_of_an_unreadable_row_are_taken
            row_of_an_unknown_format_is_left_to_newer_programs
            program_without_formats_does_not_see_newer_rows
            undecodable_job_blocks_no_other_job
        }
    };
}
pub(crate) use unreadable_cases;

macro_rules! each {
    ($open:expr; $($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::unreadable::$case($open.await).await;
        }
    )*};
}
pub(crate) use each;
