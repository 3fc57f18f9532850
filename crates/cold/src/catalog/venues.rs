//! Stores venues and finds the venue of an event.

use uuid::Uuid;
use voelgoed_app::catalog::ports::Venue;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::{EventId, OrganizationId, VenueId};
use voelgoed_domain::refusal::Refusal;

use crate::accounts::audit::commit_act;
use crate::db::{Db, DbResult, Sql, binds, row_struct, sql};
use crate::idempotency;
use crate::quotas::{self, Quota};

const CREATE: Sql =
    sql("venues.create", "insert into venues (organization_id, id, name, address) values ($1, $2, $3, $4)");
const LIST: Sql = sql(
    "venues.list",
    "select id, name, address from venues where organization_id = $1 and id > $2 order by id limit $3",
);
const OF_EVENT: Sql = sql(
    "venues.of_event",
    "select v.id, v.name, v.address from events e
     join layouts l on l.organization_id = e.organization_id and l.id = e.layout_id
     join venues v on v.organization_id = l.organization_id and v.id = l.venue_id
     where e.organization_id = $1 and e.id = $2",
);

row_struct! {
    struct VenueRow {
        id: Uuid,
        name: String,
        address: String,
    }
}

impl From<VenueRow> for Venue {
    fn from(VenueRow { id, name, address }: VenueRow) -> Self {
        Self { id: VenueId::from_uuid(id), name, address }
    }
}

pub(super) async fn create(
    db: &Db,
    organization: OrganizationId,
    venue: &Venue,
    record: Option<&IdempotencyRecord>,
) -> DbResult<Result<Created<()>, Refusal>> {
    let mut tx = db.begin(organization).await?;
    if let Some(answer) = idempotency::record_or_replay(&mut tx, organization, record).await? {
        return Ok(answer);
    }
    if let Err(refusal) = quotas::check(&mut tx, organization, Quota::Venues).await? {
        return Ok(Err(refusal));
    }
    tx.execute(CREATE, binds![organization, venue.id, &venue.name, &venue.address]).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(Created::Fresh(())))
}

pub(super) async fn list(db: &Db, organization: OrganizationId, page: PageRequest) -> DbResult<Page<Venue>> {
    let binds = binds![organization, page.after.unwrap_or_default(), page.limit + 1];
    let rows: Vec<VenueRow> = db.fetch_all(organization, LIST, binds).await?;
    Ok(Page::cut(rows, page.limit, |row| row.id).map(Venue::from))
}

pub(super) async fn of_event(db: &Db, organization: OrganizationId, event: EventId) -> DbResult<Option<Venue>> {
    Ok(db.fetch_optional::<VenueRow>(organization, OF_EVENT, binds![organization, event]).await?.map(Venue::from))
}
