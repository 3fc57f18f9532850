//! Stores price rules and reads those of an event; a promo code is unique within its event after folding similar characters.

use uuid::Uuid;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRule};
use voelgoed_domain::ids::{EventId, OrganizationId, PriceRuleId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use super::listing_change::{ListingChangeResult, begin};
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{DbError, DbResult, Sql, Tx, Value, binds, row_struct, sql};
use crate::quotas::{self, Quota};

const CREATE: Sql = sql(
    "price_rules.create",
    "insert into price_rules (organization_id, id, event_id, code, code_folded, ticket_types, effect, effect_amount, starts_at, ends_at, created_at,
                              uses_max, uses_per_buyer_max)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     on conflict (organization_id, event_id, code_folded) where code_folded is not null do nothing",
);
const OF_EVENT: Sql = sql(
    "price_rules.of_event",
    "select id, event_id, code, ticket_types, effect, effect_amount, starts_at, ends_at, uses_max, uses_per_buyer_max from price_rules
     where organization_id = $1 and event_id = $2 order by id",
);

row_struct! {
    struct PriceRuleRow {
        id: Uuid,
        event_id: Uuid,
        code: Option<String>,
        ticket_types: String,
        effect: String,
        effect_amount: i64,
        starts_at: Option<i64>,
        ends_at: Option<i64>,
        uses_max: Option<i64>,
        uses_per_buyer_max: Option<i64>,
    }
}

impl TryFrom<PriceRuleRow> for PriceRule {
    type Error = DbError;

    fn try_from(row: PriceRuleRow) -> DbResult<Self> {
        Ok(Self {
            id: PriceRuleId::from_uuid(row.id),
            event: EventId::from_uuid(row.event_id),
            code: row.code,
            ticket_types: serde_json::from_str(&row.ticket_types)?,
            effect: effect(&row.effect, row.effect_amount)?,
            starts_at: row.starts_at.map(Timestamp::from_micros),
            ends_at: row.ends_at.map(Timestamp::from_micros),
            uses_max: row.uses_max.map(u32::try_from).transpose()?,
            uses_per_buyer_max: row.uses_per_buyer_max.map(u32::try_from).transpose()?,
        })
    }
}

fn effect(name: &str, amount: i64) -> DbResult<PriceEffect> {
    Ok(match name {
        "basis_points_off" => PriceEffect::BasisPointsOff(u32::try_from(amount)?),
        "amount_off" => PriceEffect::AmountOff(amount),
        "price" => PriceEffect::Price(amount),
        _ => return Err(DbError::internal(format!("unknown effect `{name}` of a price rule"))),
    })
}

fn columns(effect: PriceEffect) -> (&'static str, i64) {
    match effect {
        PriceEffect::BasisPointsOff(points) => ("basis_points_off", i64::from(points)),
        PriceEffect::AmountOff(amount) => ("amount_off", amount),
        PriceEffect::Price(amount) => ("price", amount),
    }
}

pub(super) async fn create(
    cold: &Cold,
    organization: OrganizationId,
    rule: &PriceRule,
    now: Timestamp,
    record: Option<&IdempotencyRecord>,
) -> DbResult<ListingChangeResult> {
    let mut tx = match begin(cold, organization, rule.event, now, record).await? {
        Ok(tx) => tx,
        Err(answer) => return Ok(answer),
    };
    if let Err(refusal) = quotas::check(&mut tx, organization, Quota::PriceRules(rule.event)).await? {
        return Ok(Err(refusal));
    }
    let folded = rule.code.as_ref().map(|code| voelgoed_domain::text::promo_code_key(code));
    let ticket_types = Value::json(&rule.ticket_types)?;
    let (effect, amount) = columns(rule.effect);
    let binds = binds![
        organization,
        rule.id,
        rule.event,
        rule.code.as_ref(),
        folded,
        ticket_types,
        effect,
        amount,
        rule.starts_at,
        rule.ends_at,
        now,
        rule.uses_max,
        rule.uses_per_buyer_max
    ];
    if tx.execute(CREATE, binds).await? == 0 {
        return Ok(Err(Refusal::new(Code::AlreadyExists, "Another price rule of this event has this code.")));
    }
    commit_act(tx, organization).await?;
    Ok(Ok(Created::Fresh(())))
}

/// An event's price rules, oldest first.
pub(super) async fn of_event(
    snapshot: &mut Tx,
    organization: OrganizationId,
    event: EventId,
) -> DbResult<Vec<PriceRule>> {
    let rows: Vec<PriceRuleRow> = snapshot.fetch_all(OF_EVENT, binds![organization, event]).await?;
    rows.into_iter().map(PriceRule::try_from).collect()
}
