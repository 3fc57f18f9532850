//! Lists events of an organization or of all organizations, by running, later and past, and finds the organization of an event.
//!
//! Never: a draft in a list of all organizations.

use uuid::Uuid;
use voelgoed_app::catalog::ports::{EventSummary, ProgrammeRequest};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use super::event_row::{EventRow, event_columns};
use crate::db::{Db, DbResult, Sql, SystemRole, binds, row_struct, sql};
use crate::decode_rows::decode_page;

/// Selects [`EventSummaryRow`]s: events `e` with the name of their venue, filtered by the rest of the statement.
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

/// The end of an event `e` computed from its own times, as by `AdmissionTimes::past_from`. Needed for rows whose `past_from` is before their start: an
/// older program wrote them during an upgrade, and their column is wrong until their next change.
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
/// System role: the shop lists the published events of all organizations.
const SEEN_BY_ALL: Sql =
    sql("events.seen_by_all", listed_events!("where e.state <> 'draft' and e.id > $1 order by e.id limit $2"));
/// System role, as above. Each side of the `or` uses an index of its own and therefore repeats all conditions; `+ 0` keeps the engines from walking
/// the index by start through all past events.
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
/// An event that has not started is not past.
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
/// System role: the identifier of the event identifies the organization.
const ORGANIZATION_OF: Sql = sql("events.organization_of", "select organization_id from events where id = $1");

row_struct! {
    struct EventSummaryRow {
        venue: String,
        ..event: EventRow
    }
}

pub(super) async fn list(
    db: &Db,
    organization: Option<OrganizationId>,
    published_only: bool,
    page: PageRequest,
) -> DbResult<Page<EventSummary>> {
    let after = page.after.unwrap_or_default();
    let rows: Vec<EventSummaryRow> = match organization {
        Some(organization) => {
            db.fetch_all(organization, OF_ORGANIZATION, binds![organization, after, page.limit + 1, published_only])
                .await?
        }
        None => db.fetch_all(SystemRole::Shop, SEEN_BY_ALL, binds![after, page.limit + 1]).await?,
    };
    summaries(rows, page.limit)
}

pub(super) async fn programme(db: &Db, request: ProgrammeRequest) -> DbResult<Page<EventSummary>> {
    let ProgrammeRequest { past, now, after, limit } = request;
    if past {
        let (at, event) = after.unwrap_or((Timestamp::from_micros(i64::MAX), EventId::from_uuid(Uuid::max())));
        return summaries(db.fetch_all(SystemRole::Shop, PAST, binds![now, at, event, limit + 1]).await?, limit);
    }
    let (at, event) = after.unwrap_or((Timestamp::from_micros(i64::MIN), EventId::from_uuid(Uuid::nil())));
    let mut rows: Vec<EventSummaryRow> = match at <= now {
        true => db.fetch_all(SystemRole::Shop, RUNNING, binds![now, at, event, limit + 1]).await?,
        false => Vec::new(),
    };
    let missing = (limit + 1).saturating_sub(u32::try_from(rows.len())?);
    if missing > 0 {
        let later: Vec<EventSummaryRow> =
            db.fetch_all(SystemRole::Shop, LATER, binds![now, at, event, missing]).await?;
        rows.extend(later);
    }
    summaries(rows, limit)
}

fn summaries(rows: Vec<EventSummaryRow>, limit: u32) -> DbResult<Page<EventSummary>> {
    let page = Page::cut(rows, limit, |row| row.event.id);
    let summary = |row: EventSummaryRow| Ok(EventSummary { event: row.event.try_into()?, venue: row.venue });
    Ok(decode_page("events", page, summary))
}

pub(super) async fn organization_of(db: &Db, event: EventId) -> DbResult<Option<OrganizationId>> {
    let found = db.fetch_optional::<(Uuid,)>(SystemRole::Directory, ORGANIZATION_OF, binds![event]).await?;
    Ok(found.map(|(organization,)| OrganizationId::from_uuid(organization)))
}
