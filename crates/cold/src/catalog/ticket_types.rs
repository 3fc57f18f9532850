//! Stores ticket types, retires them, and reads those of an event that are on sale.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_domain::catalog::ticket_type::{PriceOverride, TicketType, TicketTypeLimits};
use voelgoed_domain::ids::{AreaId, EventId, OrganizationId, TicketTypeId};
use voelgoed_domain::money::Money;
use voelgoed_domain::time::Timestamp;

use super::event_row::{currency, times};
use super::listing_change::{ListingChangeResult, begin, listing_changed};
use super::past_from;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{DbError, DbResult, Sql, Tx, Value, binds, row_struct, sql};
use crate::quotas::{self, Quota};

const CREATE: Sql = sql(
    "ticket_types.create",
    "insert into ticket_types (organization_id, id, event_id, name, price, currency, terms, min_per_hold, max_per_hold, created_at,
                               doors_at, ends_at, admits_from, admits_until)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
);
/// A retired ticket type keeps the moment of its first retirement.
const RETIRE: Sql = sql(
    "ticket_types.retire",
    "update ticket_types set retired_at = $3 where organization_id = $1 and id = $2 and retired_at is null returning event_id",
);
const EXISTS: Sql = sql("ticket_types.exists", "select id from ticket_types where organization_id = $1 and id = $2");
const ON_SALE: Sql = sql(
    "ticket_types.on_sale",
    "select id, event_id, name, price, currency, terms, min_per_hold, max_per_hold, doors_at, ends_at, admits_from, admits_until
     from ticket_types where organization_id = $1 and event_id = $2 and retired_at is null order by id",
);
/// The JSON of a ticket type's terms; a new format gets a new number.
#[derive(Serialize, Deserialize)]
struct TermsV1 {
    v: u32,
    areas: Vec<AreaId>,
    categories: Vec<String>,
    prices: Vec<PriceOverride>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_per_buyer: Option<u32>,
}

row_struct! {
    struct TicketTypeRow {
        id: Uuid,
        event_id: Uuid,
        name: String,
        price: i64,
        currency: String,
        terms: String,
        min_per_hold: i64,
        max_per_hold: i64,
        doors_at: Option<i64>,
        ends_at: Option<i64>,
        admits_from: Option<i64>,
        admits_until: Option<i64>,
    }
}

impl TryFrom<TicketTypeRow> for TicketType {
    type Error = DbError;

    fn try_from(row: TicketTypeRow) -> DbResult<Self> {
        let terms: TermsV1 = serde_json::from_str(&row.terms)?;
        if terms.v != 1 {
            return Err(DbError::internal(format!(
                "a ticket type has version {}, which this program does not read",
                terms.v
            )));
        }
        Ok(Self {
            id: TicketTypeId::from_uuid(row.id),
            event: EventId::from_uuid(row.event_id),
            name: row.name,
            price: Money::new(row.price, currency(&row.currency)?),
            admission: times(row.doors_at, row.ends_at, row.admits_from, row.admits_until),
            areas: terms.areas,
            categories: terms.categories,
            prices: terms.prices,
            limits: TicketTypeLimits {
                min_per_hold: u32::try_from(row.min_per_hold)?,
                max_per_hold: u32::try_from(row.max_per_hold)?,
                max_per_buyer: terms.max_per_buyer,
            },
        })
    }
}

pub(super) async fn create(
    cold: &Cold,
    organization: OrganizationId,
    ticket_type: &TicketType,
    now: Timestamp,
    record: Option<&IdempotencyRecord>,
) -> DbResult<ListingChangeResult> {
    let mut tx = match begin(cold, organization, ticket_type.event, now, record).await? {
        Ok(tx) => tx,
        Err(answer) => return Ok(answer),
    };
    if let Err(refusal) = quotas::check(&mut tx, organization, Quota::TicketTypes(ticket_type.event)).await? {
        return Ok(Err(refusal));
    }
    let TicketType { id, event, name, price, areas, categories, prices, limits, admission } = ticket_type.clone();
    let terms = Value::json(&TermsV1 { v: 1, areas, categories, prices, max_per_buyer: limits.max_per_buyer })?;
    let binds = binds![
        organization,
        id,
        event,
        name,
        price.amount,
        price.currency.code(),
        terms,
        limits.min_per_hold,
        limits.max_per_hold,
        now,
        admission.doors_at,
        admission.ends_at,
        admission.admits_from,
        admission.admits_until
    ];
    tx.execute(CREATE, binds).await?;
    past_from::refresh(&mut tx, organization, event).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(Created::Fresh(())))
}

pub(super) async fn retire(
    cold: &Cold,
    organization: OrganizationId,
    ticket_type: TicketTypeId,
    now: Timestamp,
) -> DbResult<bool> {
    let mut tx = cold.db.begin(organization).await?;
    let Some((event,)) = tx.fetch_optional::<(Uuid,)>(RETIRE, binds![organization, ticket_type, now]).await? else {
        return Ok(tx.fetch_optional::<(Uuid,)>(EXISTS, binds![organization, ticket_type]).await?.is_some());
    };
    let event = EventId::from_uuid(event);
    listing_changed(&mut tx, &*cold.environment, organization, event, now).await?;
    past_from::refresh(&mut tx, organization, event).await?;
    commit_act(tx, organization).await?;
    Ok(true)
}

/// An event's ticket types that are on sale, oldest first.
pub(super) async fn on_sale(
    snapshot: &mut Tx,
    organization: OrganizationId,
    event: EventId,
) -> DbResult<Vec<TicketType>> {
    let rows: Vec<TicketTypeRow> = snapshot.fetch_all(ON_SALE, binds![organization, event]).await?;
    rows.into_iter().map(TicketType::try_from).collect()
}
