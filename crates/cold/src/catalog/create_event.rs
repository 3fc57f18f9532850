//! Creates an event on a version of a layout of the same organization.

use uuid::Uuid;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_domain::catalog::event::Event;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::listing_change;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{DbResult, Sql, binds, sql};
use crate::idempotency;
use crate::quotas::{self, Quota};

const LAYOUT: Sql = sql("events.layout", "select id from layouts where organization_id = $1 and id = $2");
const CREATE: Sql = sql(
    "events.create",
    "insert into events (organization_id, id, name, layout_id, starts_at, timezone, opens_at, closes_at, currency, state,
       fee_per_ticket, fee_basis_points, tax_basis_points, tax_included, places_per_hold, places_per_session, listing_version, created_at, entry_rule,
       doors_at, ends_at, admits_from, admits_until, past_from)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)",
);

const LISTING_VERSION_FIRST: u32 = 1;

pub(super) async fn create(
    cold: &Cold,
    organization: OrganizationId,
    event: &Event,
    now: Timestamp,
    record: Option<&IdempotencyRecord>,
) -> DbResult<Result<Created<()>, Refusal>> {
    let mut tx = cold.db.begin(organization).await?;
    if let Some(answer) = idempotency::record_or_replay(&mut tx, organization, record).await? {
        return Ok(answer);
    }
    if let Err(refusal) = quotas::check(&mut tx, organization, Quota::Events).await? {
        return Ok(Err(refusal));
    }
    if tx.fetch_optional::<(Uuid,)>(LAYOUT, binds![organization, event.layout]).await?.is_none() {
        return Ok(Err(Refusal::not_found()));
    }
    let binds = binds![
        organization,
        event.id,
        &event.name,
        event.layout,
        event.starts_at,
        &event.timezone,
        event.sale.opens_at,
        event.sale.closes_at,
        event.currency.code(),
        event.state.as_str(),
        event.fees.per_ticket,
        event.fees.basis_points,
        event.tax.basis_points,
        event.tax.included,
        event.limits.places_per_hold,
        event.limits.places_per_session,
        LISTING_VERSION_FIRST,
        now,
        event.entry_rule.as_str(),
        event.admission.doors_at,
        event.admission.ends_at,
        event.admission.admits_from,
        event.admission.admits_until,
        event.past_from(&[]),
    ];
    tx.execute(CREATE, binds).await?;
    listing_change::append(&mut tx, &*cold.environment, organization, event.id, LISTING_VERSION_FIRST, now).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(Created::Fresh(())))
}
