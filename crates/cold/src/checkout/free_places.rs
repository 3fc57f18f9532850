//! Gives the places of an unpaid order back, as part of the transaction that closes it.

use voelgoed_app::checkout::ports::{Order, OrderLine};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::ticketing::place::PlaceEffect;

use crate::db::{Error, Result, Tx};
use crate::ticketing::places::{self, Owned};

/// The places of an order's lines, as its own.
pub(crate) fn places_of<'a>(order: &Order, lines: impl IntoIterator<Item = &'a OrderLine>) -> Vec<Owned> {
    let (event, owner) = (order.event, order.id.uuid());
    lines.into_iter().map(|line| Owned { event, place: line.place, owner }).collect()
}

/// Frees the places of all lines; they all were the order's, or the data contradicts itself.
pub(crate) async fn free_places(
    tx: &mut Tx,
    organization: OrganizationId,
    order: &Order,
    lines: &[OrderLine],
) -> Result<Vec<PlaceEffect>> {
    let freed = places::free(tx, organization, places_of(order, lines)).await?;
    if freed.len() < lines.len() {
        return Err(Error::internal(format!("order {} does not have all of its places", order.id)));
    }
    Ok(freed.into_iter().map(|moved| moved.effect).collect())
}
