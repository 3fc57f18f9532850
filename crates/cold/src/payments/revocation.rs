//! Finishes the revocation of tickets that the gates know of: revokes them in cold and frees their places in one commit (P1, P6).

use voelgoed_app::checkout::ports::{OrderLine, Ticket};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::ids::{OrganizationId, RefundId};
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::time::Timestamp;

use super::refunds;
use crate::Cold;
use crate::checkout::order_row::{self, bump_version};
use crate::checkout::sale_counts;
use crate::checkout::tickets;
use crate::db::{DbError, DbResult, Sql, binds, row, sql};
use crate::outbox::OutboxBatch;
use crate::ticketing::places::{self, OwnedPlace};

const REVOKED: Sql = sql(
    "payments.finish_revoking",
    "update tickets set state = 'revoked' from (values {rows:1 $1}) as v
     where tickets.organization_id = v.column2 and tickets.id = v.column1 and tickets.refund_id = $2 and tickets.state = 'revoking'",
);

const DONE: Sql =
    sql("payments.mark_revoked", "update refunds set tickets_revoked = true where organization_id = $1 and id = $2");

pub(super) async fn finish(cold: &Cold, organization: OrganizationId, id: RefundId, now: Timestamp) -> DbResult<()> {
    let mut tx = cold.sale.begin(organization).await?;
    let missing = || DbError::internal(format!("refund {id} does not exist"));
    let order = refunds::read(&mut tx, organization, id).await?.ok_or_else(missing)?.order;
    let locked = order_row::lock_one(&mut tx, organization, order).await?.ok_or_else(missing)?;
    let refund = refunds::read(&mut tx, organization, id).await?.ok_or_else(missing)?;
    if refund.tickets_revoked {
        tx.rollback().await?;
        return Ok(());
    }
    let order = locked.order()?;
    let revoking = |ticket: &Ticket| ticket.state == TicketState::Revoking && refund.tickets.contains(&ticket.id);
    let tickets = tickets::of_order(&mut tx, organization, order.id).await?;
    let owned: Vec<OwnedPlace> = tickets
        .iter()
        .filter(|ticket| revoking(ticket))
        .map(|ticket| OwnedPlace { event: order.event, place: ticket.place, owner: order.id.uuid() })
        .collect();
    let wanted = owned.len();
    // In the order of their identifiers, as a batch of scans locks them, so that the two cannot deadlock.
    let rows = refund.tickets.iter().map(|ticket| row![*ticket]).collect();
    tx.execute_rows(REVOKED, binds![organization, id], rows).await?;
    tx.execute(DONE, binds![organization, id]).await?;
    bump_version(&mut tx, organization, order.id).await?;
    let freed = places::free(&mut tx, organization, owned).await?;
    if freed.len() < wanted {
        return Err(DbError::internal(format!("order {} does not own the places of its tickets", order.id)));
    }
    let lines = order_row::lines(&mut tx, organization, &[order.id]).await?;
    let is_freed = |line: &OrderLine| freed.iter().any(|moved| moved.effect.place == line.place);
    let lines: Vec<OrderLine> = lines.into_iter().map(|(_, line)| line).filter(is_freed).collect();
    sale_counts::release_places(&mut tx, organization, (order.event, order.id, &lines)).await?;
    let (event, version) = (order.event, order.version + 1);
    let effects = freed.into_iter().map(|moved| moved.effect).collect();
    let mut events = OutboxBatch::new(&*cold.environment, organization, now);
    events.add(order.id.uuid(), version, OutboxEvent::OrderChanged { event, order: order.id, state: order.state });
    events.add(order.id.uuid(), version, OutboxEvent::PlacesChanged { event, claimed_by: None, effects });
    events.write(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}
