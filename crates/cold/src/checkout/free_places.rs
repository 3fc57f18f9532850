//! Frees the places of an order in the transaction that closes it.

use voelgoed_app::checkout::ports::{Order, OrderLine};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::ticketing::place::PlaceEffect;

use crate::db::{DbError, DbResult, Tx};
use crate::ticketing::places::{self, OwnedPlace};

/// The places of an order's lines with the order as their owner.
pub(crate) fn places_of<'a>(order: &Order, lines: impl IntoIterator<Item = &'a OrderLine>) -> Vec<OwnedPlace> {
    let (event, owner) = (order.event, order.id.uuid());
    lines.into_iter().map(|line| OwnedPlace { event, place: line.place, owner }).collect()
}

/// Frees the places of all lines; an error where the order does not own all of them.
pub(crate) async fn free_places(
    tx: &mut Tx,
    organization: OrganizationId,
    order: &Order,
    lines: &[OrderLine],
) -> DbResult<Vec<PlaceEffect>> {
    let freed = places::free(tx, organization, places_of(order, lines)).await?;
    if freed.len() < lines.len() {
        return Err(DbError::internal(format!("order {} does not own all of its places", order.id)));
    }
    Ok(freed.into_iter().map(|moved| moved.effect).collect())
}
