//! Stores numbered versions of a venue's seating plan; only the flags of their seats can change afterwards.

use std::sync::Arc;

use uuid::Uuid;
use voelgoed_app::catalog::ports::StoredLayout;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::catalog::layout::Layout;
use voelgoed_domain::ids::{EventId, LayoutId, OrganizationId, VenueId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::layout_plan;
use super::listing_change::listing_changed;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{Db, DbError, DbResult, Sql, Tx, binds, row_struct, sql};
use crate::decode_rows::decode_page;
use crate::idempotency;
use crate::quotas::{self, Quota};

const VENUE: Sql = sql("layouts.venue", "select id from venues where organization_id = $1 and id = $2 {for_update}");
const NEWEST: Sql =
    sql("layouts.newest", "select coalesce(max(version), 0) from layouts where organization_id = $1 and venue_id = $2");
const CREATE: Sql = sql(
    "layouts.create",
    "insert into layouts (organization_id, id, venue_id, version, plan, created_at, places) values ($1, $2, $3, $4, $5, $6, $7)",
);
const READ: Sql =
    sql("layouts.read", "select id, venue_id, version, created_at from layouts where organization_id = $1 and id = $2");
const FLAGS_VERSION: Sql =
    sql("layouts.flags_version", "select flags_version from layouts where organization_id = $1 and id = $2");
const PLAN: Sql = sql("layouts.plan", "select plan, flags_version from layouts where organization_id = $1 and id = $2");
const SET_PLAN: Sql = sql(
    "layouts.set_plan",
    "update layouts set plan = $3, flags_version = $4 where organization_id = $1 and id = $2 and flags_version = $5",
);
const EVENTS: Sql =
    sql("layouts.events", "select id from events where organization_id = $1 and layout_id = $2 order by id");
const LIST: Sql = sql(
    "layouts.list",
    "select id, venue_id, version, created_at from layouts where organization_id = $1 and id > $2 order by id limit $3",
);

row_struct! {
    struct LayoutRow {
        id: Uuid,
        venue_id: Uuid,
        version: i64,
        created_at: i64,
    }
}

impl LayoutRow {
    fn with(self, layout: Arc<Layout>) -> DbResult<StoredLayout> {
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
) -> DbResult<Result<Created<u32>, Refusal>> {
    // Serialized before the transaction, because a large plan takes long.
    let plan = layout_plan::write(&layout.layout)?;
    let mut tx = db.begin(organization).await?;
    if let Some(answer) = idempotency::record_or_replay(&mut tx, organization, record).await? {
        return Ok(answer);
    }
    for quota in [Quota::Layouts, Quota::Seats(layout.layout.place_count())] {
        if let Err(refusal) = quotas::check(&mut tx, organization, quota).await? {
            return Ok(Err(refusal));
        }
    }
    // Locks the venue, so that two layouts cannot get the same number.
    if tx.fetch_optional::<(Uuid,)>(VENUE, binds![organization, layout.venue]).await?.is_none() {
        return Ok(Err(Refusal::not_found()));
    }
    let newest = tx.fetch_optional::<(i64,)>(NEWEST, binds![organization, layout.venue]).await?;
    let version = u32::try_from(newest.map_or(0, |(newest,)| newest) + 1)?;
    if ![0, version].contains(&layout.version) {
        return Ok(Err(Refusal::try_again(1, "Another plan of this venue came first. Try again.")));
    }
    tx.execute(
        CREATE,
        binds![organization, layout.id, layout.venue, version, plan, layout.created_at, layout.layout.place_count()],
    )
    .await?;
    commit_act(tx, organization).await?;
    Ok(Ok(Created::Fresh(version)))
}

pub(super) async fn newest(db: &Db, organization: OrganizationId, venue: VenueId) -> DbResult<u32> {
    let newest = db.fetch_optional::<(i64,)>(organization, NEWEST, binds![organization, venue]).await?;
    Ok(u32::try_from(newest.map_or(0, |(newest,)| newest))?)
}

pub(super) async fn read(
    cold: &Cold,
    organization: OrganizationId,
    layout: LayoutId,
) -> DbResult<Option<StoredLayout>> {
    let mut snapshot = cold.db.snapshot(organization).await?;
    let Some(row) = snapshot.fetch_optional::<LayoutRow>(READ, binds![organization, layout]).await? else {
        return Ok(None);
    };
    let plan = plan_of(cold, &mut snapshot, organization, layout).await?;
    row.with(plan).map(Some)
}

/// The plan of an existing layout, shared with its other users.
pub(super) async fn plan_of(
    cold: &Cold,
    snapshot: &mut Tx,
    organization: OrganizationId,
    layout: LayoutId,
) -> DbResult<Arc<Layout>> {
    let missing = || DbError::internal(format!("layout {layout} is referenced and does not exist"));
    let version = snapshot.fetch_optional::<(i64,)>(FLAGS_VERSION, binds![organization, layout]).await?;
    let (version,) = version.ok_or_else(missing)?;
    if let Some(plan) = cold.plans.in_use(organization, layout, u32::try_from(version)?) {
        return Ok(plan);
    }
    let found = snapshot.fetch_optional::<(String, i64)>(PLAN, binds![organization, layout]).await?;
    let (text, version) = found.ok_or_else(missing)?;
    cold.plans.decode(organization, layout, u32::try_from(version)?, &text)
}

/// Writes a plan with changed flags, and appends `ListingChanged` for each of its events. None where the flags have changed concurrently.
pub(super) async fn set_flags(
    cold: &Cold,
    organization: OrganizationId,
    layout: LayoutId,
    changed: &Layout,
    now: Timestamp,
) -> DbResult<Option<Vec<EventId>>> {
    let plan = layout_plan::write(changed)?;
    let before = changed.flags_version.saturating_sub(1);
    let mut tx = cold.db.begin(organization).await?;
    if tx.execute(SET_PLAN, binds![organization, layout, plan, changed.flags_version, before]).await? == 0 {
        return Ok(None);
    }
    let events: Vec<(Uuid,)> = tx.fetch_all(EVENTS, binds![organization, layout]).await?;
    let events: Vec<EventId> = events.into_iter().map(|(event,)| EventId::from_uuid(event)).collect();
    for event in &events {
        listing_changed(&mut tx, &*cold.environment, organization, *event, now).await?;
    }
    commit_act(tx, organization).await?;
    Ok(Some(events))
}

pub(super) async fn list(db: &Db, organization: OrganizationId, page: PageRequest) -> DbResult<Page<StoredLayout>> {
    let binds = binds![organization, page.after.unwrap_or_default(), page.limit + 1];
    let rows: Vec<LayoutRow> = db.fetch_all(organization, LIST, binds).await?;
    let bare = Arc::new(Layout { areas: Vec::new(), flags_version: 0 });
    let page = Page::cut(rows, page.limit, |row| row.id);
    Ok(decode_page("layouts", page, |row| row.with(Arc::clone(&bare))))
}
