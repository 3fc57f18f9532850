//! Events as lists show them, and whose an event is.
//!
//! Never: a draft to anybody but its organization; without an organization only what is seen by all (fails closed).

use uuid::Uuid;
use voelgoed_app::catalog::ports::{EventSummary, ProgrammeRequest};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use super::event_row::{EventRow, event_columns};
use crate::db::{Db, Result, Sql, System, binds, sql};
use crate::readable::readable_page;

/// Reads [`Row`]s: events `e` with the name of their venue, of those that the rest of the statement says.
macro_rules! listed_events {
    ($($rest:tt)*) => {
        concat!(
            "select ",
            event_columns!(),
            ", v.name as venue from events e
             join layouts l on l.organization_id = e.organization_id and l.id = e.layout_id
             join venues v on v.organization_id = l.organization_id and v.id = l.venue_id ",
            $($rest)*
        )
    };
}

/// The end of an event `e` by its own times, as `AdmissionTimes::past_from` has it: for rows whose `past_from` is earlier than their start. An older program
/// has written those during an upgrade, and the column says nothing of them until their next change.
macro_rules! own_end {
    () => {
        "case when e.ends_at < e.admits_until then e.ends_at else coalesce(e.admits_until, e.ends_at, e.starts_at + 21600000000) end"
    };
}

const OF_ORGANIZATION: Sql = sql(
    "events.of_organization",
    listed_events!(
        "where e.organization_id = $1 and e.id > $2 and (e.state <> 'draft' or not $4) order by e.id limit $3"
    ),
);
/// System role: the shop shows what all organizations have published.
const SEEN_BY_ALL: Sql =
    sql("events.seen_by_all", listed_events!("where e.state <> 'draft' and e.id > $1 order by e.id limit $2"));
/// System role, as above. What runs is found among what is not past, by one index for each side of the `or`, whose conditions are both whole for that;
/// `+ 0` keeps the engines from walking through all past events by their start.
const RUNNING: Sql = sql(
    "events.running",
    listed_events!(
        "where ((e.state <> 'draft' and e.past_from > $1)
             or (e.state <> 'draft' and e.past_from < e.starts_at and e.starts_at <= $1 and ",
        own_end!(),
        " > $1)) and e.starts_at + 0 <= $1 and (e.starts_at + 0, e.id) > ($2, $3)
         order by e.starts_at + 0, e.id limit $4"
    ),
);
/// What has not started is not past.
const LATER: Sql = sql(
    "events.later",
    listed_events!(
        "where e.state <> 'draft' and e.starts_at > $1 and (e.starts_at, e.id) > ($2, $3)
         order by e.starts_at, e.id limit $4"
    ),
);
const PAST: Sql = sql(
    "events.past",
    listed_events!(
        "where e.state <> 'draft' and e.starts_at <= $1 and e.past_from <= $1 and (e.starts_at, e.id) < ($2, $3)
             and (e.past_from >= e.starts_at or ",
        own_end!(),
        " <= $1)
         order by e.starts_at desc, e.id desc limit $4"
    ),
);
/// System role: the identifier tells the tenant.
const ORGANIZATION_OF: Sql = sql("events.organization_of", "select organization_id from events where id = $1");

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    event: EventRow,
    venue: String,
}

pub(super) async fn list(
    db: &Db,
    organization: Option<OrganizationId>,
    published_only: bool,
    page: PageRequest,
) -> Result<Page<EventSummary>> {
    let after = page.after.unwrap_or_default();
    let rows: Vec<Row> = match organization {
        Some(organization) => {
            db.fetch_all(organization, OF_ORGANIZATION, binds![organization, after, page.most + 1, published_only])
                .await?
        }
        None => db.fetch_all(System::Shop, SEEN_BY_ALL, binds![after, page.most + 1]).await?,
    };
    summaries(rows, page.most)
}

pub(super) async fn programme(db: &Db, request: ProgrammeRequest) -> Result<Page<EventSummary>> {
    let ProgrammeRequest { past, now, after, most } = request;
    if past {
        let (at, event) = after.unwrap_or((Timestamp::from_micros(i64::MAX), EventId::from_uuid(Uuid::max())));
        return summaries(db.fetch_all(System::Shop, PAST, binds![now, at, event, most + 1]).await?, most);
    }
    let (at, event) = after.unwrap_or((Timestamp::from_micros(i64::MIN), EventId::from_uuid(Uuid::nil())));
    let mut rows: Vec<Row> = match at <= now {
        true => db.fetch_all(System::Shop, RUNNING, binds![now, at, event, most + 1]).await?,
        false => Vec::new(),
    };
    let missing = (most + 1).saturating_sub(u32::try_from(rows.len())?);
    if missing > 0 {
        let later: Vec<Row> = db.fetch_all(System::Shop, LATER, binds![now, at, event, missing]).await?;
        rows.extend(later);
    }
    summaries(rows, most)
}

fn summaries(rows: Vec<Row>, most: u32) -> Result<Page<EventSummary>> {
    let page = Page::cut(rows, most, |row| row.event.id);
    let summary = |row: Row| Ok(EventSummary { event: row.event.try_into()?, venue: row.venue });
    Ok(readable_page("events", page, summary))
}

pub(super) async fn organization_of(db: &Db, event: EventId) -> Result<Option<OrganizationId>> {
    let found = db.fetch_optional::<(Uuid,)>(System::Directory, ORGANIZATION_OF, binds![event]).await?;
    Ok(found.map(|(organization,)| OrganizationId::from_uuid(organization)))
}
