//! Rows that this program cannot decode hold up their own aggregate and nothing else, on either engine.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;
use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::jobs::ports::{JobEnd, JobStore, NewJob, Queue};
use voelgoed_app::outbox::event::TakenRows;
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_cold::Cold;
use voelgoed_cold::db::{Sql, System, Value, sql};
use voelgoed_contracts::catalogue;
use voelgoed_contracts::subject::Subject;
use voelgoed_domain::catalog::event::Event;

const LEASE: Duration = Duration::from_secs(30);
/// Longer than every pause of a parked row.
const PAUSES_ARE_OVER: Duration = Duration::from_secs(120);
const KINDS: [&str; 1] = ["test.kind"];

const BODY: Sql = sql("test.body", "update outbox set body = $1 where aggregate = $2 and version = $3");
const FORMAT: Sql = sql("test.format", "update outbox set format = $1 where aggregate = $2 and version = 1");
const VERSION: Sql = sql("test.version", "update outbox set version = $1 where aggregate = $2 and version = 1");
const FIRST_BODY: Sql = sql("test.first_body", "select body from outbox where aggregate = $1 and version = $2");
const OLD_READER: Sql = sql(
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

async fn change(subject: &Subject<Cold>, event: &Event) {
    let ticket_type = catalogue::a_ticket_type(&subject.environment, event.id);
    let now = subject.environment.now();
    catalogue::made(subject.store.create_ticket_type(event.organization, ticket_type, now, None).await.unwrap());
}

/// Three aggregates with two rows each; the first one is to be spoiled.
async fn events(subject: &Subject<Cold>) -> [Event; 3] {
    let organization = catalogue::organization(subject).await;
    let mut events = Vec::new();
    for _ in 0..3 {
        let event = catalogue::event(subject, organization).await;
        change(subject, &event).await;
        events.push(event);
    }
    events.try_into().unwrap()
}

async fn execute(subject: &Subject<Cold>, role: System, statement: Sql, values: Vec<Value>) {
    let mut tx = subject.store.db().begin(role).await.unwrap();
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

async fn take(subject: &Subject<Cold>) -> TakenRows {
    subject.store.take(100, subject.environment.now(), LEASE).await.unwrap()
}

fn versions(taken: &TakenRows) -> BTreeMap<Uuid, Vec<u32>> {
    let mut versions = BTreeMap::<Uuid, Vec<u32>>::new();
    for row in &taken.rows {
        versions.entry(row.aggregate).or_default().push(row.version);
    }
    versions
}

/// Each kind of unreadable body: the other aggregates are taken, the spoiled one waits and comes whole once its row is mended.
pub async fn outbox_row_that_cannot_be_decoded_parks_its_aggregate_alone(subject: Subject<Cold>) {
    for body in [
        r#"{"v":1,"fact":{"fact":"a_later_invention","event":"x"}}"#,
        r#"{"v":2,"fact":{"fact":"listing_changed"}}"#,
        r#"{"v":1,"fact":{"fact":"listing_changed"}}"#,
        r#"{"v":1"#,
        r#"{"v":-1,"fact":null}"#,
        "null",
        "",
    ] {
        let [spoiled, second, third] = events(&subject).await;
        let aggregate = spoiled.id.uuid();
        let found = subject.store.db().fetch_optional(System::Relay, FIRST_BODY, vec![uuid(aggregate), number(1)]);
        let (good,): (String,) = found.await.unwrap().unwrap();
        execute(&subject, System::Relay, BODY, vec![text(body), uuid(aggregate), number(1)]).await;
        let taken = take(&subject).await;
        let others: BTreeMap<_, _> = [(second.id.uuid(), vec![1, 2]), (third.id.uuid(), vec![1, 2])].into();
        assert_eq!(versions(&taken), others, "{body}");
        assert_eq!(taken.parked.iter().map(|row| row.aggregate).collect::<Vec<_>>(), [aggregate], "{body}");
        let ids: Vec<_> = taken.rows.iter().map(|row| row.id).collect();
        subject.store.delivered(&ids, subject.environment.now()).await.unwrap();
        assert_eq!(take(&subject).await, TakenRows::default(), "it waits for its pause: {body}");
        let unreadable = OutboxStore::unreadable(&*subject.store, 10).await.unwrap();
        assert_eq!(unreadable.len(), 1, "{body}");
        assert!(unreadable[0].is_malformed && !unreadable[0].reason.is_empty(), "{unreadable:?}");
        subject.environment.advance(PAUSES_ARE_OVER);
        assert_eq!(take(&subject).await.parked.len(), 1, "it is tried again: {body}");
        execute(&subject, System::Relay, BODY, vec![text(&good), uuid(aggregate), number(1)]).await;
        subject.environment.advance(PAUSES_ARE_OVER);
        let taken = take(&subject).await;
        assert_eq!(versions(&taken), [(aggregate, vec![1, 2])].into(), "{body}");
        let ids: Vec<_> = taken.rows.iter().map(|row| row.id).collect();
        subject.store.delivered(&ids, subject.environment.now()).await.unwrap();
        assert!(OutboxStore::unreadable(&*subject.store, 10).await.unwrap().is_empty());
    }
}

/// Rows before the unreadable one are taken, rows behind it wait; the version itself may be what is wrong.
pub async fn rows_ahead_of_an_unreadable_row_are_taken(subject: Subject<Cold>) {
    let [spoiled, ..] = events(&subject).await;
    change(&subject, &spoiled).await;
    let aggregate = spoiled.id.uuid();
    execute(&subject, System::Relay, BODY, vec![text("{}"), uuid(aggregate), number(2)]).await;
    let taken = take(&subject).await;
    assert_eq!(versions(&taken)[&aggregate], [1]);
    assert_eq!(taken.parked.len(), 1);
    let [other, ..] = events(&subject).await;
    execute(&subject, System::Relay, VERSION, vec![number(-7), uuid(other.id.uuid())]).await;
    let taken = take(&subject).await;
    assert_eq!(taken.parked.iter().map(|row| row.aggregate).collect::<Vec<_>>(), [other.id.uuid()]);
    assert_eq!(versions(&taken).len(), 2, "{taken:?}");
}

/// A row of a format that this program does not know is neither taken nor parked; it is listed, and its aggregate waits.
pub async fn row_of_an_unknown_format_is_left_to_newer_programs(subject: Subject<Cold>) {
    let [newer, ..] = events(&subject).await;
    execute(&subject, System::Relay, FORMAT, vec![number(99), uuid(newer.id.uuid())]).await;
    let taken = take(&subject).await;
    assert_eq!((versions(&taken).len(), taken.parked.len()), (2, 0));
    assert!(!versions(&taken).contains_key(&newer.id.uuid()));
    let unreadable = OutboxStore::unreadable(&*subject.store, 10).await.unwrap();
    let [row] = &unreadable[..] else { panic!("{unreadable:?}") };
    assert!(!row.is_malformed && row.reason.contains("format 99"), "{row:?}");
}

/// What the program before formats asks for does not bring a newer row, nor a later one of its aggregate.
pub async fn program_without_formats_does_not_see_newer_rows(subject: Subject<Cold>) {
    let [newer, second, third] = events(&subject).await;
    execute(&subject, System::Relay, NEWER, vec![number(i64::MAX), uuid(newer.id.uuid())]).await;
    let now = number(subject.environment.now().micros());
    let seen: Vec<(Uuid,)> = subject.store.db().fetch_all(System::Relay, OLD_READER, vec![now]).await.unwrap();
    let seen: Vec<Uuid> = seen.into_iter().map(|(aggregate,)| aggregate).collect();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|aggregate| [second.id.uuid(), third.id.uuid()].contains(aggregate)));
}

/// Neither an unknown kind nor an unreadable payload holds up other jobs or costs an attempt.
pub async fn job_that_cannot_be_read_holds_up_no_other(subject: Subject<Cold>) {
    let environment = &*subject.environment;
    let job = |kind| NewJob {
        id: fresh(environment),
        organization: None,
        kind,
        queue: Queue::Upkeep,
        payload: json!({"n": 1}),
        run_at: environment.now(),
        unique_key: None,
        max_attempts: 2,
    };
    let (spoiled, newer, good) = (job("test.kind"), job("test.newer"), job("test.kind"));
    subject.store.enqueue(vec![spoiled.clone(), newer.clone()]).await.unwrap();
    execute(&subject, System::Jobs, PAYLOAD, vec![text("{broken"), uuid(spoiled.id.uuid())]).await;
    subject.store.enqueue(vec![good.clone()]).await.unwrap();
    let lease = async |kinds: &[&'static str]| {
        subject.store.lease(Queue::Upkeep, kinds, 10, environment.now(), LEASE).await.unwrap()
    };
    let leased = lease(&KINDS).await;
    assert_eq!(leased.iter().map(|job| job.id).collect::<Vec<_>>(), [good.id]);
    assert!(subject.store.end(good.id, leased[0].lease, JobEnd::Done, environment.now()).await.unwrap());
    for _ in 0..3 {
        environment.advance(PAUSES_ARE_OVER);
        assert!(lease(&KINDS).await.is_empty(), "neither is leased, however often it is tried");
        let unreadable = JobStore::unreadable(&*subject.store, &KINDS, environment.now(), 10).await.unwrap();
        let mut ids: Vec<_> = unreadable.iter().map(|job| job.id).collect();
        ids.sort_unstable();
        let mut expected = [spoiled.id, newer.id];
        expected.sort_unstable();
        assert_eq!(ids, expected);
    }
    assert!(subject.store.dead(10).await.unwrap().is_empty());
    execute(&subject, System::Jobs, PAYLOAD, vec![text("{}"), uuid(spoiled.id.uuid())]).await;
    environment.advance(PAUSES_ARE_OVER);
    let leased = lease(&["test.kind", "test.newer"]).await;
    assert_eq!(leased.iter().map(|job| job.attempt).collect::<Vec<_>>(), [1, 1], "no attempt was burned");
}

/// Every case as a test.
macro_rules! unreadable_cases {
    ($open:expr) => {
        $crate::unreadable::each! { $open;
            outbox_row_that_cannot_be_decoded_parks_its_aggregate_alone
            rows_ahead_of_an_unreadable_row_are_taken
            row_of_an_unknown_format_is_left_to_newer_programs
            program_without_formats_does_not_see_newer_rows
            job_that_cannot_be_read_holds_up_no_other
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
