//! Versions of a venue's seating plan: numbered by the store, never changed.

use std::sync::Arc;

use uuid::Uuid;
use voelgoed_app::catalog::ports::StoredLayout;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::catalog::layout::Layout;
use voelgoed_domain::ids::{LayoutId, OrganizationId, VenueId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::plan;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{Db, Error, Result, Sql, Tx, binds, sql};
use crate::idempotency;
use crate::quotas::{self, Quota};
use crate::readable::readable_page;

const VENUE: Sql = sql("layouts.venue", "select id from venues where organization_id = $1 and id = $2 {for_update}");
const NEWEST: Sql =
    sql("layouts.newest", "select coalesce(max(version), 0) from layouts where organization_id = $1 and venue_id = $2");
const CREATE: Sql = sql(
    "layouts.create",
    "insert into layouts (organization_id, id, venue_id, version, plan, created_at, places) values ($1, $2, $3, $4, $5, $6, $7)",
);
const READ: Sql =
    sql("layouts.read", "select id, venue_id, version, created_at from layouts where organization_id = $1 and id = $2");
const PLAN: Sql = sql("layouts.plan", "select plan from layouts where organization_id = $1 and id = $2");
const LIST: Sql = sql(
    "layouts.list",
    "select id, venue_id, version, created_at from layouts where organization_id = $1 and id > $2 order by id limit $3",
);

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    venue_id: Uuid,
    version: i64,
    created_at: i64,
}

impl Row {
    fn with(self, layout: Arc<Layout>) -> Result<StoredLayout> {
        Ok(StoredLayout {
            id: LayoutId::from_uuid(self.id),
            venue: VenueId::from_uuid(self.venue_id),
            version: u32::try_from(self.version)?,
            layout,
            created_at: Timestamp::from_micros(self.created_at),
        })
    }
}

pub(super) async fn create(
    db: &Db,
    organization: OrganizationId,
    layout: &StoredLayout,
    record: Option<&IdempotencyRecord>,
) -> Result<std::result::Result<Created<u32>, Refusal>> {
    // Written before the transaction: a large plan takes its time.
    let plan = plan::write(&layout.layout)?;
    let mut tx = db.begin(organization).await?;
    if let Some(answer) = idempotency::note(&mut tx, organization, record).await? {
        return Ok(answer);
    }
    for quota in [Quota::Layouts, Quota::Seats(layout.layout.place_count())] {
        if let Err(refusal) = quotas::check(&mut tx, organization, quota).await? {
            return Ok(Err(refusal));
        }
    }
    // The venue's row is locked, so that two layouts cannot get one number.
    if tx.fetch_optional::<(Uuid,)>(VENUE, binds![organization, layout.venue]).await?.is_none() {
        return Ok(Err(Refusal::not_found()));
    }
    let newest = tx.fetch_optional::<(i64,)>(NEWEST, binds![organization, layout.venue]).await?;
    let version = u32::try_from(newest.map_or(0, |(newest,)| newest) + 1)?;
    tx.execute(
        CREATE,
        binds![organization, layout.id, layout.venue, version, plan, layout.created_at, layout.layout.place_count()],
    )
    .await?;
    commit_act(tx, organization).await?;
    Ok(Ok(Created::Fresh(version)))
}

pub(super) async fn read(cold: &Cold, organization: OrganizationId, layout: LayoutId) -> Result<Option<StoredLayout>> {
    let mut snapshot = cold.db.snapshot(organization).await?;
    let Some(row) = snapshot.fetch_optional::<Row>(READ, binds![organization, layout]).await? else {
        return Ok(None);
    };
    let plan = plan_of(cold, &mut snapshot, organization, layout).await?;
    row.with(plan).map(Some)
}

/// The plan of a layout that exists; shared while it is in use.
pub(super) async fn plan_of(
    cold: &Cold,
    snapshot: &mut Tx,
    organization: OrganizationId,
    layout: LayoutId,
) -> Result<Arc<Layout>> {
    if let Some(plan) = cold.plans.in_use(organization, layout) {
        return Ok(plan);
    }
    let found = snapshot.fetch_optional::<(String,)>(PLAN, binds![organization, layout]).await?;
    let (text,) = found.ok_or_else(|| Error::internal(format!("{layout} is pinned and is not there")))?;
    cold.plans.decode(organization, layout, &text)
}

pub(super) async fn list(db: &Db, organization: OrganizationId, page: PageRequest) -> Result<Page<StoredLayout>> {
    let binds = binds![organization, page.after.unwrap_or_default(), page.most + 1];
    let rows: Vec<Row> = db.fetch_all(organization, LIST, binds).await?;
    let bare = Arc::new(Layout { areas: Vec::new() });
    let page = Page::cut(rows, page.most, |row| row.id);
    Ok(readable_page("layouts", page, |row| row.with(Arc::clone(&bare))))
}
