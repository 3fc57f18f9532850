//! Counts over orders, changed in the transaction of the order: the places of a buyer and the uses of a promo code, each in a row of `sale_counts`, so no race
//! of orders passes their limits. The unpaid places of a client address have no row: they are read from `orders`. Transactions that run at the same time
//! on Postgres do not see each other's orders, so together they may pass that limit.
//!
//! Never: a row of `sale_counts` above its limit by a new order. An order of an earlier version of this program counts for nobody.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use voelgoed_app::checkout::counted::{CountLimit, CountedFor, UnpaidLimit};
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

/// The places of orders that wait for their payment, by the client address they came from.
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
    let asked = || candidates.iter().map(|index| orders[*index]);
    let limits = asked().flat_map(|order| order.limits.iter().map(|limit| (order.event, limit.counted.as_str())));
    let mut known = counts_of(tx, organization, READ, limits.collect()).await?;
    let unpaid = asked().filter_map(|order| Some((order.event, order.unpaid_at.as_ref()?.address.as_str())));
    known.extend(counts_of(tx, organization, UNPAID, unpaid.collect()).await?);
    let mut wanted = known.clone();
    let mut verdicts = Vec::with_capacity(candidates.len());
    for index in candidates {
        let order = orders[*index];
        let amounts = within_limits(order);
        let over = |counts: &Counts| {
            let beyond = |counted: &String, most: u32| {
                let has = counts.get(&(order.event.uuid(), counted.clone())).copied().unwrap_or(0);
                has + amounts.get(counted).copied().map_or(0, u64::from) > u64::from(most)
            };
            let unpaid = order.unpaid_at.as_ref().filter(|limit| beyond(&limit.address, limit.most));
            let counted = order.limits.iter().find(|limit| beyond(&limit.counted, limit.most));
            counted.map(CountLimit::refusal).or_else(|| unpaid.map(UnpaidLimit::refusal))
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

async fn counts_of(
    tx: &mut Tx,
    organization: OrganizationId,
    statement: Sql,
    keys: BTreeSet<(EventId, &str)>,
) -> Result<Counts> {
    if keys.is_empty() {
        return Ok(Counts::new());
    }
    let rows = keys.into_iter().map(|(event, counted)| row![event, counted]).collect();
    counts(tx.fetch_rows(statement, binds![organization], rows).await?)
}

/// What an order adds to counts that are kept, and to the places that wait for a payment from its address.
fn within_limits(order: &NewOrder) -> BTreeMap<String, u32> {
    let places = u32::try_from(order.lines.len()).unwrap_or(u32::MAX);
    let unpaid = order.unpaid_at.iter().map(|limit| (limit.address.clone(), places));
    amounts(order).into_iter().chain(unpaid).collect()
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
    lower(tx, organization, (event, order), |counted| counted.amounts(&types(lines))).await
}

/// Tickets that are given back count no more; the code stays used.
pub(crate) async fn give_places_back(
    tx: &mut Tx,
    organization: OrganizationId,
    (event, order): (EventId, OrderId),
    lines: &[OrderLine],
) -> Result<()> {
    lower(tx, organization, (event, order), |counted| counted.places(&types(lines))).await
}

fn keyed(event: EventId, amounts: BTreeMap<String, u32>) -> Counts {
    amounts.into_iter().map(|(counted, amount)| ((event.uuid(), counted), u64::from(amount))).collect()
}

async fn lower(
    tx: &mut Tx,
    organization: OrganizationId,
    (event, order): (EventId, OrderId),
    by: impl FnOnce(CountedFor) -> BTreeMap<String, u32>,
) -> Result<()> {
    let Some(counted) = counted_for(tx, organization, order).await? else { return Ok(()) };
    let amounts = keyed(event, by(counted));
    if !amounts.is_empty() {
        tx.execute_rows(GIVE_BACK, binds![organization], rows(amounts)?).await?;
    }
    Ok(())
}
