//! Tests on both engines the column `past_from` as the migration fills it and as an older program leaves it.

use uuid::Uuid;
use voelgoed_app::catalog::ports::{CatalogStore, ProgrammeRequest};
use voelgoed_app::environment::Environment;
use voelgoed_cold::Cold;
use voelgoed_cold::db::{Sql, Value, sql};
use voelgoed_contracts::catalog_fixtures::{
    expect_created, new_event, new_ticket_type, stored_layout, stored_organization,
};
use voelgoed_contracts::sut::Sut;
use voelgoed_domain::catalog::admission_window::{AdmissionTimes, EVENT_DURATION_DEFAULT};
use voelgoed_domain::catalog::event::{Event, EventState};
use voelgoed_domain::catalog::ticket_type::TicketType;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::time::Timestamp;

const HOUR: i64 = 3_600_000_000;
/// The migration that added the column.
const MIGRATION: &str = include_str!("../../migrations/0320_past_events.sql");
const READ: Sql =
    sql("test.past_from", "select id, past_from from events where organization_id = $1 order by starts_at, id");
const SET_AS_OLD_CREATE: Sql = sql("test.old_create", "update events set past_from = 0 where organization_id = $1");
const MOVE_AS_OLD_PROGRAM: Sql =
    sql("test.old_move", "update events set starts_at = $1 where organization_id = $2 and id = $3");

/// Hours from now: start, end and last admission of an event, end and last admission of its ticket types.
type Dates = (i64, Option<i64>, Option<i64>, &'static [(Option<i64>, Option<i64>)]);

const DATES: [Dates; 14] = [
    (-30, None, None, &[]),
    (-30, Some(20), None, &[]),
    (-30, Some(20), Some(10), &[]),
    (-30, Some(10), Some(20), &[]),
    (-30, None, Some(20), &[]),
    (-7, None, None, &[]),
    (-5, None, None, &[]),
    (-5, Some(-1), None, &[]),
    (-4, None, Some(-1), &[]),
    (-3, None, None, &[(Some(-2), None)]),
    (-3, None, None, &[(None, Some(40)), (None, None)]),
    (-3, Some(9), None, &[(None, Some(40)), (Some(1), Some(2))]),
    (-3, None, Some(9), &[(Some(12), Some(11)), (Some(2), None)]),
    (24, None, None, &[(Some(30), None)]),
];

fn at(now: Timestamp, hours: i64) -> Timestamp {
    Timestamp::from_micros(now.micros() + hours * HOUR)
}

fn times(now: Timestamp, (ends_at, admits_until): (Option<i64>, Option<i64>)) -> AdmissionTimes {
    let at = |hours: Option<i64>| hours.map(|hours| at(now, hours));
    AdmissionTimes { ends_at: at(ends_at), admits_until: at(admits_until), ..AdmissionTimes::default() }
}

/// Published events of one organization, without the ticket types where `plain`.
async fn events(sut: &Sut<Cold>, plain: bool) -> (OrganizationId, Vec<Event>) {
    let (store, now) = (&sut.store, sut.environment.now());
    let organization = stored_organization(sut).await;
    let layout = stored_layout(sut, organization).await;
    let mut events = Vec::new();
    for (start, end, last, types) in DATES {
        let admission = times(now, (end, last));
        let event = Event { starts_at: at(now, start), admission, ..new_event(&sut.environment, organization, layout) };
        expect_created(store.create_event(organization, event.clone(), now, None).await.unwrap());
        for of_type in types.iter().filter(|_| !plain) {
            let admission = times(now, *of_type);
            let ticket_type = TicketType { admission, ..new_ticket_type(&sut.environment, event.id) };
            expect_created(store.create_ticket_type(organization, ticket_type, now, None).await.unwrap());
        }
        let (from, to) = (&[EventState::Draft], EventState::Published);
        store.transition_event(organization, event.id, from, to, now).await.unwrap().unwrap();
        events.push(event);
    }
    (organization, events)
}

async fn stored(sut: &Sut<Cold>, organization: OrganizationId) -> Vec<(Uuid, i64)> {
    let id = Value::Uuid(Some(organization.uuid()));
    sut.store.db().fetch_all(organization, READ, vec![id]).await.unwrap()
}

async fn execute(sut: &Sut<Cold>, organization: OrganizationId, statement: Sql, values: Vec<Value>) -> u64 {
    let mut tx = sut.store.db().begin(organization).await.unwrap();
    let changed = tx.execute(statement, values).await.unwrap();
    tx.commit().await.unwrap();
    changed
}

async fn listed(sut: &Sut<Cold>, past: bool) -> Vec<EventId> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let request = ProgrammeRequest { past, now: sut.environment.now(), after, limit: 2 };
        let page = sut.store.programme(request).await.unwrap();
        found.extend(page.items.iter().map(|item| item.event.id));
        after = page.items.last().map(|item| (item.event.starts_at, item.event.id));
        if page.next.is_none() {
            return found;
        }
    }
}

/// The migration's statements compute for each event the value that the domain computed at its creation.
pub async fn migration_fills_the_column_as_the_domain_rule_does(sut: Sut<Cold>) {
    let (organization, events) = events(&sut, false).await;
    let by_domain = stored(&sut, organization).await;
    assert_eq!(by_domain.len(), events.len());
    let id = || vec![Value::Uuid(Some(organization.uuid()))];
    execute(&sut, organization, SET_AS_OLD_CREATE, id()).await;
    assert!(stored(&sut, organization).await.iter().all(|(_, past_from)| *past_from == 0));
    let text: String = MIGRATION.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    let fills: Vec<&str> = text.split(';').map(str::trim).filter(|text| text.starts_with("update")).collect();
    assert_eq!(fills.len(), 4);
    for fill in fills {
        let fill: &'static str = fill.to_owned().leak();
        execute(&sut, organization, sql("test.fill", fill), vec![]).await;
    }
    assert_eq!(stored(&sut, organization).await, by_domain);
}

/// An older program creates events with 0. They are listed by their own times, which gives the same lists as the column.
pub async fn events_of_an_older_program_are_listed_by_their_own_times(sut: Sut<Cold>) {
    let (organization, events) = events(&sut, true).await;
    let before = (listed(&sut, false).await, listed(&sut, true).await);
    assert_eq!(before.0.len() + before.1.len(), events.len());
    assert!(before.0.contains(&events[6].id), "it runs: {EVENT_DURATION_DEFAULT:?} are not over");
    assert!(before.1.contains(&events[5].id), "their duration has passed");
    execute(&sut, organization, SET_AS_OLD_CREATE, vec![Value::Uuid(Some(organization.uuid()))]).await;
    assert_eq!((listed(&sut, false).await, listed(&sut, true).await), before);
}

/// An older program moves a past event and leaves the column unchanged. While the event runs at its new date, it is not listed as past.
pub async fn event_that_an_older_program_moved_is_not_past_while_it_runs(sut: Sut<Cold>) {
    let (organization, events) = events(&sut, true).await;
    let now = sut.environment.now();
    let moved = events[0].id;
    assert!(listed(&sut, true).await.contains(&moved));
    let values = |starts_at: i64| {
        let ids = [organization.uuid(), moved.uuid()].map(|id| Value::Uuid(Some(id)));
        [vec![Value::Int(Some(starts_at))], ids.to_vec()].concat()
    };
    for (start, is_past) in [(-1, false), (-5, false), (-6, true), (1, false)] {
        assert_eq!(execute(&sut, organization, MOVE_AS_OLD_PROGRAM, values(at(now, start).micros())).await, 1);
        assert_eq!(listed(&sut, true).await.contains(&moved), is_past, "start {start}");
        assert_eq!(listed(&sut, false).await.contains(&moved), !is_past, "start {start}");
    }
}

/// Runs every case as a test.
macro_rules! past_event_cases {
    ($open:expr) => {
        $crate::past_events::each! { $open;
            migration_fills_the_column_as_the_domain_rule_does
            events_of_an_older_program_are_listed_by_their_own_times
            event_that_an_older_program_moved_is_not_past_while_it_runs
        }
    };
}
pub(crate) use past_event_cases;

macro_rules! each {
    ($open:expr; $($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::past_events::$case($open.await).await;
        }
    )*};
}
pub(crate) use each;
