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

const OF_ORGANIZATION: Sql = sql(
    "events.of_organization",
    concat!(
        "select ",
        event_columns!(),
        ", v.name as venue from events e
         join layouts l on l.organization_id = e.organization_id and l.id = e.layout_id
         join venues v on v.organization_id = l.organization_id and v.id = l.venue_id
         where e.organization_id = $1 and e.id > $2 and (e.state <> 'draft' or not $4) order by e.id limit $3"
    ),
);
/// System role: the shop shows what all organizations have published.
const SEEN_BY_ALL: Sql = sql(
    "events.seen_by_all",
    concat!(
        "select ",
        event_columns!(),
        ", v.name as venue from events e
         join layouts l on l.organization_id = e.organization_id and l.id = e.layout_id
         join venues v on v.organization_id = l.organization_id and v.id = l.venue_id
         where e.state <> 'draft' and e.id > $1 order by e.id limit $2"
    ),
);
/// System role, as above.
const COMING: Sql = sql(
    "events.coming",
    concat!(
        "select ",
        event_columns!(),
        ", v.name as venue from events e
         join layouts l on l.organization_id = e.organization_id and l.id = e.layout_id
         join venues v on v.organization_id = l.organization_id and v.id = l.venue_id
         where e.state <> 'draft' and e.starts_at > $1 and (e.starts_at, e.id) > ($2, $3)
         order by e.starts_at, e.id limit $4"
    ),
);
const PAST: Sql = sql(
    "events.past",
    concat!(
        "select ",
        event_columns!(),
        ", v.name as venue from events e
         join layouts l on l.organization_id = e.organization_id and l.id = e.layout_id
         join venues v on v.organization_id = l.organization_id and v.id = l.venue_id
         where e.state <> 'draft' and e.starts_at <= $1 and (e.starts_at, e.id) < ($2, $3)
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
    let ProgrammeRequest { past, since, after, most } = request;
    let (statement, start) = match past {
        false => (COMING, (Timestamp::from_micros(i64::MIN), EventId::from_uuid(Uuid::nil()))),
        true => (PAST, (Timestamp::from_micros(i64::MAX), EventId::from_uuid(Uuid::max()))),
    };
    let (at, event) = after.unwrap_or(start);
    let rows: Vec<Row> = db.fetch_all(System::Shop, statement, binds![since, at, event, most + 1]).await?;
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
