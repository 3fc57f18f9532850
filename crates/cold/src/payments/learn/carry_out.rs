//! Writes what was decided: each table once for all lessons of the batch.

use std::collections::BTreeMap;

use voelgoed_app::checkout::ports::OrderLine;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::ledger::entry::JournalEntry;
use voelgoed_domain::payments::decide::Decision;
use voelgoed_domain::ticketing::place::PlaceEffect;

use voelgoed_planted::{Bug, planted};

use super::super::journal;
use super::work::Work;
use crate::checkout::free_places::places_of;
use crate::checkout::order_row;
use crate::checkout::tickets::NewTickets;
use crate::db::{Error, Result, Sql, Tx, binds, row, sql};
use crate::facts::Facts;
use crate::jobs;
use crate::ledger::{self, Told};
use crate::ticketing::places;

const ATTEMPTS: Sql = sql(
    "payments.move_attempts",
    "update payment_attempts set state = v.column2, captured_currency = coalesce(v.column3, captured_currency),
        captured_amount = coalesce(v.column4, captured_amount), provider_ref = coalesce(v.column5, provider_ref),
        reason = coalesce(v.column6, reason)
     from (values {rows:6 $1}) as v
     where payment_attempts.organization_id = v.column7 and payment_attempts.id = v.column1",
);

const ORDERS: Sql = sql(
    "payments.move_orders",
    "update orders set state = v.column2, paid_at = coalesce(v.column3, paid_at), version = orders.version + 1
     from (values {rows:3 $1}) as v
     where orders.organization_id = v.column4 and orders.id = v.column1",
);

type Lines = BTreeMap<OrderId, Vec<OrderLine>>;

pub(super) async fn carry_out(
    tx: &mut Tx,
    organization: OrganizationId,
    works: &[Work<'_>],
    environment: &dyn Environment,
) -> Result<()> {
    if works.is_empty() {
        return Ok(());
    }
    let lines = lines(tx, organization, works).await?;
    move_rows(tx, organization, works).await?;
    let mut effects = move_places(tx, organization, works, &lines).await?;
    issue_tickets(tx, organization, works, &lines, environment).await?;
    if !planted(Bug::SaleNotBooked) {
        ledger::append(tx, organization, &entries(works, &lines, environment)?).await?;
    }
    let late = works.iter().filter(|work| matches!(work.decision, Decision::CapturedLate { .. }));
    let late: Vec<_> = late.filter_map(|work| work.learned.late_capture_job.clone()).collect();
    jobs::insert(tx, &late).await?;
    let latest = works.iter().map(|work| work.learned.at).max().unwrap_or_default();
    let mut facts = Facts::new(environment, organization, latest);
    for work in works {
        let (order, event, version) = (work.order.id, work.order.event, work.order.version + 1);
        facts.add(order.uuid(), version, OutboxEvent::OrderChanged { event, order, state: work.order_to });
        if let Some(effects) = effects.remove(&order) {
            facts.add(order.uuid(), version, OutboxEvent::PlacesChanged { event, claimed_by: None, effects });
        }
    }
    facts.write(tx).await
}

/// The lines of the orders whose places move.
async fn lines(tx: &mut Tx, organization: OrganizationId, works: &[Work<'_>]) -> Result<Lines> {
    let moving = works.iter().filter(|work| work.issues() || work.frees());
    let orders: Vec<OrderId> = moving.map(|work| work.order.id).collect();
    let mut lines = Lines::new();
    for (order, line) in order_row::lines(tx, organization, &orders).await? {
        lines.entry(order).or_default().push(line);
    }
    Ok(lines)
}

async fn move_rows(tx: &mut Tx, organization: OrganizationId, works: &[Work<'_>]) -> Result<()> {
    let attempts = works
        .iter()
        .map(|work| {
            let captured = work.captured();
            row![
                work.attempt.id,
                work.attempt_to,
                captured.map(|(amount, _)| amount.currency.code()),
                captured.map(|(amount, _)| amount.amount),
                captured.map(|(_, reference)| reference),
                work.reason()
            ]
        })
        .collect();
    tx.execute_rows(ATTEMPTS, binds![organization], attempts).await?;
    let orders =
        works.iter().map(|work| row![work.order.id, work.order_to, work.issues().then_some(work.learned.at)]).collect();
    tx.execute_rows(ORDERS, binds![organization], orders).await?;
    Ok(())
}

/// Sells or frees the places; what became of them, by order. All of them were claimed, or the data contradicts itself.
async fn move_places(
    tx: &mut Tx,
    organization: OrganizationId,
    works: &[Work<'_>],
    lines: &Lines,
) -> Result<BTreeMap<OrderId, Vec<PlaceEffect>>> {
    let places = |work: &Work<'_>| places_of(&work.order, lines.get(&work.order.id).into_iter().flatten());
    let sold: Vec<_> = works.iter().filter(|work| work.issues()).flat_map(places).collect();
    let freed: Vec<_> = works.iter().filter(|work| work.frees()).flat_map(places).collect();
    let wanted: BTreeMap<_, _> =
        sold.iter().chain(&freed).map(|owned| ((owned.event, owned.place), OrderId::from_uuid(owned.owner))).collect();
    let mut moved = places::sell_claimed(tx, organization, sold).await?;
    moved.extend(places::free(tx, organization, freed).await?);
    if moved.len() < wanted.len() {
        return Err(Error::internal("an order that waits for payment does not have all of its places"));
    }
    let mut effects = BTreeMap::<OrderId, Vec<PlaceEffect>>::new();
    for it in moved {
        let order = wanted.get(&(it.event, it.effect.place));
        let order = order.ok_or_else(|| Error::internal("a place was moved that nobody named"))?;
        effects.entry(*order).or_default().push(it.effect);
    }
    Ok(effects)
}

async fn issue_tickets(
    tx: &mut Tx,
    organization: OrganizationId,
    works: &[Work<'_>],
    lines: &Lines,
    environment: &dyn Environment,
) -> Result<()> {
    let mut tickets = NewTickets::default();
    for work in works.iter().filter(|work| work.issues()) {
        let missing = || Error::internal(format!("order {} has no lines", work.order.id));
        let lines = lines.get(&work.order.id).ok_or_else(missing)?;
        tickets.add(environment, work.order.event, work.order.id, lines);
    }
    tickets.write(tx, organization).await
}

/// The journal entries of what was captured.
fn entries(works: &[Work<'_>], lines: &Lines, environment: &dyn Environment) -> Result<Vec<(Told, JournalEntry)>> {
    let mut entries = Vec::new();
    for work in works {
        let provider = &work.attempt.provider;
        let entry = match (&work.decision, work.captured()) {
            (Decision::Issue, _) => {
                let missing = || Error::internal(format!("order {} has no lines", work.order.id));
                let parts = journal::parts(&work.order, lines.get(&work.order.id).ok_or_else(missing)?, |_| true)?;
                JournalEntry::sale(provider, work.order.total.currency, parts)
            }
            // A provider that says it has captured nothing has nothing to give back.
            (Decision::CapturedLate { .. }, Some((amount, _))) if !amount.is_zero() => {
                JournalEntry::late_capture(provider, amount)
            }
            _ => continue,
        };
        let (event, order, at) = (work.order.event, work.order.id, work.learned.at);
        entries.push((Told { id: fresh(environment), event, order, at }, entry.map_err(Error::internal)?));
    }
    Ok(entries)
}
