//! Counts places per buyer and uses per promo code in the transaction of the order, so that concurrent orders cannot exceed the limits.
//!
//! Each count is a row of `sale_counts`; rows are written in the order of their keys, so that two transactions cannot deadlock. The unpaid places of a
//! client address are counted from `orders` instead of a row. Concurrent Postgres transactions do not see each other's orders, so together they may exceed
//! that limit. Orders of program versions before the counts are not counted. Never: a row of `sale_counts` that a new order raises above its limit.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use voelgoed_app::checkout::order_limits::{CountLimit, CountedFor, UnpaidLimit};
use voelgoed_app::checkout::ports::{NewOrder, OrderLine};
use voelgoed_domain::ids::{EventId, OrderId, OrganizationId, TicketTypeId};
use voelgoed_domain::refusal::Refusal;

use crate::db::{Db, DbError, DbResult, Sql, Tx, binds, row, sql};

const READ: Sql = sql(
    "checkout.read_counts",
    "select c.event_id, c.counted, c.amount from (values {rows:2 $1}) as v
     cross join sale_counts c
     where c.organization_id = v.column3 and c.event_id = v.column1 and c.counted = v.column2",
);

/// The places of unpaid orders by client address.
const UNPAID: Sql = sql(
    "checkout.unpaid_of_addresses",
    "select o.event_id, o.address, count(*) from (values {rows:2 $1}) as v
     cross join orders o
     cross join order_lines l
     where o.organization_id = v.column3 and o.event_id = v.column1 and o.address = v.column2 and o.state = 'awaiting_payment'
       and l.organization_id = o.organization_id and l.order_id = o.id
     group by o.event_id, o.address",
);

const ADD: Sql = sql(
    "checkout.add_counts",
    "insert into sale_counts (organization_id, event_id, counted, amount)
     select $1, v.column1, v.column2, v.column3 from (values {rows:3}) as v where true
     on conflict (organization_id, event_id, counted) do update set amount = sale_counts.amount + excluded.amount
     returning event_id, counted, amount",
);

const RELEASE: Sql = sql(
    "checkout.give_back_counts",
    "update sale_counts set amount = case when sale_counts.amount > v.column3 then sale_counts.amount - v.column3 else 0 end
     from (values {rows:3 $1}) as v
     where sale_counts.organization_id = v.column4 and sale_counts.event_id = v.column1 and sale_counts.counted = v.column2",
);

const COUNTED_FOR: Sql = sql(
    "checkout.counted_for",
    "select o.id, o.counted_for from (values {rows:1 $1}) as v
     cross join orders o where o.organization_id = v.column2 and o.id = v.column1",
);

/// An order with its lines that are counted or uncounted.
pub(crate) type CountedOrder<'a> = (EventId, OrderId, &'a [OrderLine]);

type CountsByKey = BTreeMap<(Uuid, String), u64>;

fn counts(rows: Vec<(Uuid, String, i64)>) -> DbResult<CountsByKey> {
    let count = |(event, counted, amount)| Ok(((event, counted), u64::try_from(amount)?));
    rows.into_iter().map(count).collect()
}

/// Reads counts of an event.
pub(super) async fn read(
    db: &Db,
    organization: OrganizationId,
    event: EventId,
    keys: Vec<String>,
) -> DbResult<BTreeMap<String, u64>> {
    let rows = keys.iter().map(|counted| row![event, counted]).collect();
    let found = counts(db.fetch_rows(organization, READ, binds![organization], rows).await?)?;
    Ok(found.into_iter().map(|((_, counted), amount)| (counted, amount)).collect())
}

/// The result of checking an order against the limits.
pub(super) enum LimitCheck {
    /// The order fits.
    Fits,
    /// The order would exceed a limit together with an earlier order of its batch, which may still lose its places.
    Contested,
    /// The order exceeds a limit.
    Exceeded(Refusal),
}

/// Checks the candidates against the limits, in the order of their arrival.
pub(super) async fn check_limits(
    tx: &mut Tx,
    organization: OrganizationId,
    orders: &[&NewOrder],
    candidates: &[usize],
) -> DbResult<Vec<(usize, LimitCheck)>> {
    let checked = || candidates.iter().map(|index| orders[*index]);
    let limits = checked().flat_map(|order| order.limits.iter().map(|limit| (order.event, limit.key.as_str())));
    let mut present = counts_of(tx, organization, READ, limits.collect()).await?;
    let unpaid = checked().filter_map(|order| Some((order.event, order.unpaid_limit.as_ref()?.address.as_str())));
    present.extend(counts_of(tx, organization, UNPAID, unpaid.collect()).await?);
    let mut with_earlier = present.clone();
    let mut checks = Vec::with_capacity(candidates.len());
    for index in candidates {
        let order = orders[*index];
        let amounts = limited_amounts(order);
        let exceeded = |counts: &CountsByKey| {
            let beyond = |counted: &String, max: u32| {
                let has = counts.get(&(order.event.uuid(), counted.clone())).copied().unwrap_or(0);
                has + amounts.get(counted).copied().map_or(0, u64::from) > u64::from(max)
            };
            let unpaid = order.unpaid_limit.as_ref().filter(|limit| beyond(&limit.address, limit.places_max));
            let counted = order.limits.iter().find(|limit| beyond(&limit.key, limit.count_max));
            counted.map(CountLimit::refusal).or_else(|| unpaid.map(UnpaidLimit::refusal))
        };
        let check = match (exceeded(&present), exceeded(&with_earlier)) {
            (Some(refusal), _) => LimitCheck::Exceeded(refusal),
            (None, Some(_)) => LimitCheck::Contested,
            (None, None) => LimitCheck::Fits,
        };
        if matches!(check, LimitCheck::Fits) {
            for (counted, amount) in amounts {
                *with_earlier.entry((order.event.uuid(), counted)).or_default() += u64::from(amount);
            }
        }
        checks.push((*index, check));
    }
    Ok(checks)
}

async fn counts_of(
    tx: &mut Tx,
    organization: OrganizationId,
    statement: Sql,
    keys: BTreeSet<(EventId, &str)>,
) -> DbResult<CountsByKey> {
    if keys.is_empty() {
        return Ok(CountsByKey::new());
    }
    let rows = keys.into_iter().map(|(event, counted)| row![event, counted]).collect();
    counts(tx.fetch_rows(statement, binds![organization], rows).await?)
}

/// The numbers that an order adds to its stored counts and to the unpaid places of its address.
fn limited_amounts(order: &NewOrder) -> BTreeMap<String, u32> {
    let places = u32::try_from(order.lines.len()).unwrap_or(u32::MAX);
    let unpaid = order.unpaid_limit.iter().map(|limit| (limit.address.clone(), places));
    amounts(order).into_iter().chain(unpaid).collect()
}

fn amounts(order: &NewOrder) -> BTreeMap<String, u32> {
    order.counted.amounts(&types(&order.lines))
}

fn types(lines: &[OrderLine]) -> Vec<TicketTypeId> {
    lines.iter().map(|line| line.ticket_type).collect()
}

/// Counts new orders. Where a concurrent transaction has used up a limit since the check, the batch is retried.
pub(super) async fn add(tx: &mut Tx, organization: OrganizationId, orders: &[&NewOrder]) -> DbResult<()> {
    let mut wanted = CountsByKey::new();
    let mut limits = BTreeMap::new();
    for order in orders {
        for (counted, amount) in amounts(order) {
            *wanted.entry((order.event.uuid(), counted)).or_default() += u64::from(amount);
        }
        for limit in &order.limits {
            limits.insert((order.event.uuid(), limit.key.clone()), u64::from(limit.count_max));
        }
    }
    for (key, amount) in write(tx, organization, wanted).await? {
        if limits.get(&key).is_some_and(|max| amount > *max) {
            return Err(DbError::Serialization(
                "a limit of a buyer or a promo code was used up concurrently".to_owned(),
            ));
        }
    }
    Ok(())
}

async fn write(tx: &mut Tx, organization: OrganizationId, wanted: CountsByKey) -> DbResult<CountsByKey> {
    if wanted.is_empty() {
        return Ok(wanted);
    }
    counts(tx.fetch_rows(ADD, binds![organization], rows(wanted)?).await?)
}

fn rows(counts: CountsByKey) -> DbResult<Vec<[crate::db::Value; 3]>> {
    counts.into_iter().map(|((event, counted), amount)| Ok(row![event, counted, i64::try_from(amount)?])).collect()
}

/// The counts that the orders name, summed.
async fn counts_of_orders(
    tx: &mut Tx,
    organization: OrganizationId,
    orders: &[CountedOrder<'_>],
    amounts: impl Fn(&CountedFor, &[TicketTypeId]) -> BTreeMap<String, u32>,
) -> DbResult<CountsByKey> {
    let keys: BTreeSet<OrderId> = orders.iter().map(|(_, order, _)| *order).collect();
    let keys = keys.into_iter().map(|order| row![order]).collect();
    let found: Vec<(Uuid, Option<String>)> = tx.fetch_rows(COUNTED_FOR, binds![organization], keys).await?;
    let found: BTreeMap<Uuid, Option<String>> = found.into_iter().collect();
    let mut counts = CountsByKey::new();
    for (event, order, lines) in orders {
        let Some(Some(text)) = found.get(&order.uuid()) else { continue };
        let counted: CountedFor = serde_json::from_str(text)?;
        for (key, amount) in amounts(&counted, &types(lines)) {
            *counts.entry((event.uuid(), key)).or_default() += u64::from(amount);
        }
    }
    Ok(counts)
}

/// Counts an ended order again that was paid late. Limits do not apply, because the money is captured already.
pub(crate) async fn recount(tx: &mut Tx, organization: OrganizationId, order: CountedOrder<'_>) -> DbResult<()> {
    let counts = counts_of_orders(tx, organization, &[order], CountedFor::amounts).await?;
    write(tx, organization, counts).await.map(drop)
}

/// Uncounts orders that end unpaid.
pub(crate) async fn release(tx: &mut Tx, organization: OrganizationId, orders: &[CountedOrder<'_>]) -> DbResult<()> {
    let counts = counts_of_orders(tx, organization, orders, CountedFor::amounts).await?;
    decrease(tx, organization, counts).await
}

/// Uncounts the places of returned tickets; the promo code stays used.
pub(crate) async fn release_places(tx: &mut Tx, organization: OrganizationId, order: CountedOrder<'_>) -> DbResult<()> {
    let counts = counts_of_orders(tx, organization, &[order], CountedFor::places).await?;
    decrease(tx, organization, counts).await
}

async fn decrease(tx: &mut Tx, organization: OrganizationId, counts: CountsByKey) -> DbResult<()> {
    tx.execute_rows(RELEASE, binds![organization], rows(counts)?).await.map(drop)
}
