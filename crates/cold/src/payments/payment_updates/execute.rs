//! Writes the decisions of a batch of payment updates, with one statement per table.

use std::collections::BTreeMap;

use voelgoed_app::checkout::ports::OrderLine;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::ledger::entry::JournalEntry;
use voelgoed_domain::payments::decide::PaymentDecision;
use voelgoed_domain::ticketing::place::PlaceEffect;

use super::super::journal;
use super::payment_update::PaymentUpdate;
use crate::checkout::free_places::places_of;
use crate::checkout::order_row;
use crate::checkout::sale_counts;
use crate::checkout::tickets::NewTickets;
use crate::db::{DbError, DbResult, Sql, Tx, binds, row, sql};
use crate::jobs;
use crate::ledger::{self, EntryHeader};
use crate::outbox::OutboxBatch;
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

pub(super) async fn execute(
    tx: &mut Tx,
    organization: OrganizationId,
    updates: &[PaymentUpdate<'_>],
    environment: &dyn Environment,
) -> DbResult<()> {
    if updates.is_empty() {
        return Ok(());
    }
    let lines = lines(tx, organization, updates).await?;
    move_rows(tx, organization, updates).await?;
    let mut effects = move_places(tx, organization, updates, &lines).await?;
    release_counts(tx, organization, updates, &lines).await?;
    issue_tickets(tx, organization, updates, &lines, environment).await?;
    ledger::append(tx, organization, &entries(updates, &lines, environment)?).await?;
    let unmatched =
        updates.iter().filter(|update| matches!(update.decision, PaymentDecision::CapturedUnmatched { .. }));
    let unmatched: Vec<_> = unmatched.filter_map(|update| update.observed.unmatched_capture_job.clone()).collect();
    jobs::insert(tx, &unmatched).await?;
    let latest = updates.iter().map(|update| update.observed.at).max().unwrap_or_default();
    let mut events = OutboxBatch::new(environment, organization, latest);
    for update in updates {
        let (order, event, version) = (update.order.id, update.order.event, update.order.version + 1);
        events.add(order.uuid(), version, OutboxEvent::OrderChanged { event, order, state: update.order_to });
        if let Some(effects) = effects.remove(&order) {
            events.add(order.uuid(), version, OutboxEvent::PlacesChanged { event, claimed_by: None, effects });
        }
    }
    events.write(tx).await
}

/// The lines of the orders whose places are sold or freed.
async fn lines(tx: &mut Tx, organization: OrganizationId, updates: &[PaymentUpdate<'_>]) -> DbResult<Lines> {
    let moving = updates.iter().filter(|update| update.issues() || update.frees());
    let orders: Vec<OrderId> = moving.map(|update| update.order.id).collect();
    let mut lines = Lines::new();
    for (order, line) in order_row::lines(tx, organization, &orders).await? {
        lines.entry(order).or_default().push(line);
    }
    Ok(lines)
}

async fn move_rows(tx: &mut Tx, organization: OrganizationId, updates: &[PaymentUpdate<'_>]) -> DbResult<()> {
    let mut sorted: Vec<_> = updates.iter().collect();
    // As `lease_send` sorts them, so that the two cannot deadlock.
    sorted.sort_unstable_by_key(|update| update.attempt.id);
    let attempts = sorted
        .into_iter()
        .map(|update| {
            let captured = update.captured();
            row![
                update.attempt.id,
                update.attempt_to,
                captured.map(|(amount, _)| amount.currency.code()),
                captured.map(|(amount, _)| amount.amount),
                captured.map(|(_, reference)| reference),
                update.reason()
            ]
        })
        .collect();
    tx.execute_rows(ATTEMPTS, binds![organization], attempts).await?;
    let orders = updates
        .iter()
        .map(|update| row![update.order.id, update.order_to, update.issues().then_some(update.observed.at)])
        .collect();
    tx.execute_rows(ORDERS, binds![organization], orders).await?;
    Ok(())
}

/// Sells or frees places and returns their new states by order; an error where an order does not own all of its places.
async fn move_places(
    tx: &mut Tx,
    organization: OrganizationId,
    updates: &[PaymentUpdate<'_>],
    lines: &Lines,
) -> DbResult<BTreeMap<OrderId, Vec<PlaceEffect>>> {
    let places =
        |update: &PaymentUpdate<'_>| places_of(&update.order, lines.get(&update.order.id).into_iter().flatten());
    let sold: Vec<_> = updates.iter().filter(|update| update.issues()).flat_map(places).collect();
    let freed: Vec<_> = updates.iter().filter(|update| update.frees()).flat_map(places).collect();
    let wanted: BTreeMap<_, _> =
        sold.iter().chain(&freed).map(|owned| ((owned.event, owned.place), OrderId::from_uuid(owned.owner))).collect();
    let mut moved = places::sell_claimed(tx, organization, sold).await?;
    moved.extend(places::free(tx, organization, freed).await?);
    if moved.len() < wanted.len() {
        return Err(DbError::internal("an unpaid order does not own all of its places"));
    }
    let mut effects = BTreeMap::<OrderId, Vec<PlaceEffect>>::new();
    for it in moved {
        let order = wanted.get(&(it.event, it.effect.place));
        let order = order.ok_or_else(|| DbError::internal("a place was moved that no update named"))?;
        effects.entry(*order).or_default().push(it.effect);
    }
    Ok(effects)
}

/// Orders that end unpaid count no longer for their buyers and promo codes.
async fn release_counts(
    tx: &mut Tx,
    organization: OrganizationId,
    updates: &[PaymentUpdate<'_>],
    lines: &Lines,
) -> DbResult<()> {
    let ended = updates.iter().filter(|update| update.frees()).map(|update| {
        let lines = lines.get(&update.order.id).map_or(&[][..], Vec::as_slice);
        (update.order.event, update.order.id, lines)
    });
    sale_counts::release(tx, organization, &ended.collect::<Vec<_>>()).await
}

async fn issue_tickets(
    tx: &mut Tx,
    organization: OrganizationId,
    updates: &[PaymentUpdate<'_>],
    lines: &Lines,
    environment: &dyn Environment,
) -> DbResult<()> {
    let mut tickets = NewTickets::default();
    for update in updates.iter().filter(|update| update.issues()) {
        let missing = || DbError::internal(format!("order {} has no lines", update.order.id));
        let lines = lines.get(&update.order.id).ok_or_else(missing)?;
        tickets.add(environment, update.order.event, update.order.id, lines);
    }
    tickets.write(tx, organization).await
}

/// The journal entries of captured money.
fn entries(
    updates: &[PaymentUpdate<'_>],
    lines: &Lines,
    environment: &dyn Environment,
) -> DbResult<Vec<(EntryHeader, JournalEntry)>> {
    let mut entries = Vec::new();
    for update in updates {
        let provider = &update.attempt.provider;
        let entry = match (&update.decision, update.captured()) {
            (PaymentDecision::Issue, _) => {
                let missing = || DbError::internal(format!("order {} has no lines", update.order.id));
                let parts = journal::parts(&update.order, lines.get(&update.order.id).ok_or_else(missing)?, |_| true)?;
                JournalEntry::sale(provider, update.order.total.currency, parts)
            }
            // A capture of zero has nothing to refund.
            (PaymentDecision::CapturedUnmatched { .. }, Some((amount, _))) if !amount.is_zero() => {
                JournalEntry::unmatched_capture(provider, amount)
            }
            _ => continue,
        };
        let (event, order, at) = (update.order.event, update.order.id, update.observed.at);
        entries.push((EntryHeader { id: new_id(environment), event, order, at }, entry.map_err(DbError::internal)?));
    }
    Ok(entries)
}
