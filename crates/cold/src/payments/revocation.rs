//! The end of taking tickets back: they are revoked here too, and only then their places are free (P1, P6).

use voelgoed_app::checkout::ports::{OrderLine, Ticket};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::ids::{OrganizationId, RefundId};
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::time::Timestamp;

use super::refunds;
use crate::Cold;
use crate::checkout::counts;
use crate::checkout::order_row::{self, touch};
use crate::checkout::tickets;
use crate::db::{Error, Result, Sql, binds, sql};
use crate::facts::Facts;
use crate::ticketing::places::{self, Owned};

const REVOKED: Sql = sql(
    "payments.finish_revoking",
    "update tickets set state = 'revoked' where organization_id = $1 and refund_id = $2 and state = 'revoking'",
);

const DONE: Sql =
    sql("payments.mark_revoked", "update refunds set tickets_revoked = true where organization_id = $1 and id = $2");

pub(super) async fn finish(cold: &Cold, organization: OrganizationId, id: RefundId, now: Timestamp) -> Result<()> {
    let mut tx = cold.sale.begin(organization).await?;
    let missing = || Error::internal(format!("refund {id} is not there"));
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
    let owned: Vec<Owned> = tickets
        .iter()
        .filter(|ticket| revoking(ticket))
        .map(|ticket| Owned { event: order.event, place: ticket.place, owner: order.id.uuid() })
        .collect();
    let wanted = owned.len();
    tx.execute(REVOKED, binds![organization, id]).await?;
    tx.execute(DONE, binds![organization, id]).await?;
    touch(&mut tx, organization, order.id).await?;
    let freed = places::free(&mut tx, organization, owned).await?;
    if freed.len() < wanted {
        return Err(Error::internal(format!("order {} does not have the places of its tickets", order.id)));
    }
    let lines = order_row::lines(&mut tx, organization, &[order.id]).await?;
    let given_back = |line: &OrderLine| freed.iter().any(|moved| moved.effect.place == line.place);
    let lines: Vec<OrderLine> = lines.into_iter().map(|(_, line)| line).filter(given_back).collect();
    counts::give_places_back(&mut tx, organization, (order.event, order.id), &lines).await?;
    let (event, version) = (order.event, order.version + 1);
    let effects = freed.into_iter().map(|moved| moved.effect).collect();
    let mut facts = Facts::new(&*cold.environment, organization, now);
    facts.add(order.id.uuid(), version, OutboxEvent::OrderChanged { event, order: order.id, state: order.state });
    facts.add(order.id.uuid(), version, OutboxEvent::PlacesChanged { event, claimed_by: None, effects });
    facts.write(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}
