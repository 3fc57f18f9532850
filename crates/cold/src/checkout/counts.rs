//! Counts that reach over orders: the places of a buyer, the uses of a promo code. They change in the transaction of the order (no race passes a limit).
//!
//! Never: a count above its limit by a new order. An order of an earlier version of this program counts for nobody.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use voelgoed_app::checkout::counted::{CountLimit, CountedFor};
use voelgoed_app::checkout::ports::{NewOrder, OrderLine};
use voelgoed_domain::ids::{EventId, OrderId, OrganizationId, TicketTypeId};
use voelgoed_domain::refusal::Refusal;

use crate::db::{Db, Error, Result, Sql, Tx, binds, row, sql};

const READ: Sql = sql(
    "checkout.read_counts",
    "select c.event_id, c.counted, c.amount from (values {rows:2 $1}) as v
     cross join sale_counts c
     where c.organization_id = v.column3 and c.event_id = v.column1 and c.counted = v.column2",
);

const ADD: Sql = sql(
    "checkout.add_counts",
    "insert into sale_counts (organization_id, event_id, counted, amount)
     select $1, v.column1, v.column2, v.column3 from (values {rows:3}) as v where true
     on conflict (organization_id, event_id, counted) do update set amount = sale_counts.amount + excluded.amount
     returning event_id, counted, amount",
);

const GIVE_BACK: Sql = sql(
    "checkout.give_back_counts",
    "update sale_counts set amount = case when sale_counts.amount > v.column3 then sale_counts.amount - v.column3 else 0 end
     from (values {rows:3 $1}) as v
     where sale_counts.organization_id = v.column4 and sale_counts.event_id = v.column1 and sale_counts.counted = v.column2",
);

const COUNTED_FOR: Sql =
    sql("checkout.counted_for", "select counted_for from orders where organization_id = $1 and id = $2");

type Counts = BTreeMap<(Uuid, String), u64>;

fn counts(rows: Vec<(Uuid, String, i64)>) -> Result<Counts> {
    let count = |(event, counted, amount)| Ok(((event, counted), u64::try_from(amount)?));
    rows.into_iter().map(count).collect()
}

/// What some counts of an event are.
pub(super) async fn read(
    db: &Db,
    organization: OrganizationId,
    event: EventId,
    keys: Vec<String>,
) -> Result<BTreeMap<String, u64>> {
    let rows = keys.iter().map(|counted| row![event, counted]).collect();
    let found = counts(db.fetch_rows(organization, READ, binds![organization], rows).await?)?;
    Ok(found.into_iter().map(|((_, counted), amount)| (counted, amount)).collect())
}

/// What the limits say to an order.
pub(super) enum Room {
    /// It fits.
    Enough,
    /// Not beside an earlier order of this batch, which may still lose its places.
    Perhaps,
    /// Not at all.
    None(Refusal),
}

/// Whether the counts have room for each of the candidates, by arrival.
pub(super) async fn room(
    tx: &mut Tx,
    organization: OrganizationId,
    orders: &[&NewOrder],
    candidates: &[usize],
) -> Result<Vec<(usize, Room)>> {
    let keys: BTreeSet<(EventId, String)> = candidates
        .iter()
        .map(|index| orders[*index])
        .flat_map(|order| order.limits.iter().map(|limit| (order.event, limit.counted.clone())))
        .collect();
    let rows = keys.iter().map(|(event, counted)| row![*event, counted]).collect();
    let known = counts(tx.fetch_rows(READ, binds![organization], rows).await?)?;
    let mut wanted = known.clone();
    let mut verdicts = Vec::with_capacity(candidates.len());
    for index in candidates {
        let order = orders[*index];
        let amounts = amounts(order);
        let over = |counts: &Counts| {
            let beyond = |limit: &&CountLimit| {
                let key = (order.event.uuid(), limit.counted.clone());
                let has = counts.get(&key).copied().unwrap_or(0);
                let more = amounts.get(&limit.counted).copied().map_or(0, u64::from);
                has + more > u64::from(limit.most)
            };
            order.limits.iter().find(beyond).map(CountLimit::refusal)
        };
        let verdict = match (over(&known), over(&wanted)) {
            (Some(refusal), _) => Room::None(refusal),
            (None, Some(_)) => Room::Perhaps,
            (None, None) => Room::Enough,
        };
        if matches!(verdict, Room::Enough) {
            for (counted, amount) in amounts {
                *wanted.entry((order.event.uuid(), counted)).or_default() += u64::from(amount);
            }
        }
        verdicts.push((*index, verdict));
    }
    Ok(verdicts)
}

fn amounts(order: &NewOrder) -> BTreeMap<String, u32> {
    order.counted.amounts(&types(&order.lines))
}

fn types(lines: &[OrderLine]) -> Vec<TicketTypeId> {
    lines.iter().map(|line| line.ticket_type).collect()
}

/// Counts new orders. Where another transaction came in between and no room is left, the batch is repeated on what is there now.
pub(super) async fn add(tx: &mut Tx, organization: OrganizationId, orders: &[&NewOrder]) -> Result<()> {
    let mut wanted = Counts::new();
    let mut most = BTreeMap::new();
    for order in orders {
        for (counted, amount) in amounts(order) {
            *wanted.entry((order.event.uuid(), counted)).or_default() += u64::from(amount);
        }
        for limit in &order.limits {
            most.insert((order.event.uuid(), limit.counted.clone()), u64::from(limit.most));
        }
    }
    for (key, amount) in write(tx, organization, wanted).await? {
        if most.get(&key).is_some_and(|most| amount > *most) {
            return Err(Error::Serialization("a buyer's or a code's last room was taken meanwhile".to_owned()));
        }
    }
    Ok(())
}

async fn write(tx: &mut Tx, organization: OrganizationId, wanted: Counts) -> Result<Counts> {
    if wanted.is_empty() {
        return Ok(wanted);
    }
    counts(tx.fetch_rows(ADD, binds![organization], rows(wanted)?).await?)
}

fn rows(counts: Counts) -> Result<Vec<[crate::db::Value; 3]>> {
    counts.into_iter().map(|((event, counted), amount)| Ok(row![event, counted, i64::try_from(amount)?])).collect()
}

async fn counted_for(tx: &mut Tx, organization: OrganizationId, order: OrderId) -> Result<Option<CountedFor>> {
    let found = tx.fetch_optional::<(Option<String>,)>(COUNTED_FOR, binds![organization, order]).await?;
    Ok(found.and_then(|(text,)| text).map(|text| serde_json::from_str(&text)).transpose()?)
}

/// An order that had ended counts again: it was paid late. Money that is there already is not held back by a limit.
pub(crate) async fn count_again(
    tx: &mut Tx,
    organization: OrganizationId,
    (event, order): (EventId, OrderId),
    lines: &[OrderLine],
) -> Result<()> {
    let Some(counted) = counted_for(tx, organization, order).await? else { return Ok(()) };
    let amounts = counted.amounts(&types(lines));
    write(tx, organization, keyed(event, amounts)).await.map(drop)
}

/// An order that ends unpaid counts no more.
pub(super) async fn give_back(
    tx: &mut Tx,
    organization: OrganizationId,
    (event, order): (EventId, OrderId),
    lines: &[OrderLine],
) -> Result<()> {
    let Some(counted) = counted_for(tx, organization, order).await? else { return Ok(()) };
    lower(tx, organization, keyed(event, counted.amounts(&types(lines)))).await
}

/// Tickets that are given back count no more; the code stays used.
pub(crate) async fn give_places_back(
    tx: &mut Tx,
    organization: OrganizationId,
    (event, order): (EventId, OrderId),
    lines: &[OrderLine],
) -> Result<()> {
    let Some(counted) = counted_for(tx, organization, order).await? else { return Ok(()) };
    lower(tx, organization, keyed(event, counted.places(&types(lines)))).await
}

fn keyed(event: EventId, amounts: BTreeMap<String, u32>) -> Counts {
    amounts.into_iter().map(|(counted, amount)| ((event.uuid(), counted), u64::from(amount))).collect()
}

async fn lower(tx: &mut Tx, organization: OrganizationId, amounts: Counts) -> Result<()> {
    if !amounts.is_empty() {
        tx.execute_rows(GIVE_BACK, binds![organization], rows(amounts)?).await?;
    }
    Ok(())
}
