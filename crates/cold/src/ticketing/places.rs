//! Moves many places of many orders in one statement per transition, each conditional on the state before.
//!
//! Rows are sorted by (event, place), so that two transactions cannot deadlock. Never: a rule which place may move; the caller decides that.

use uuid::Uuid;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::ticketing::place::{PlaceEffect, PlaceState, PlaceVersion};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use crate::db::{DbResult, Sql, Tx, Value, binds, row, row_struct, sql};

const TAKE: Sql = sql(
    "ticketing.take_places",
    "insert into places (organization_id, event_id, place, state, owner_id, version)
     select $1, v.column1, v.column2, v.column3, v.column4, 1 from (values {rows:4}) as v where true
     on conflict (organization_id, event_id, place) do update
     set state = excluded.state, owner_id = excluded.owner_id, version = places.version + 1
     where places.state = 'free'
     returning event_id, place, state, owner_id, version",
);

const SELL_CLAIMED: Sql = sql(
    "ticketing.sell_claimed",
    "update places set state = 'sold', version = places.version + 1
     from (values {rows:3 $1}) as v
     where places.organization_id = v.column4 and places.event_id = v.column1 and places.place = v.column2
       and places.owner_id = v.column3 and places.state = 'claimed'
     returning event_id, place, state, owner_id, version",
);

const FREE: Sql = sql(
    "ticketing.free_places",
    "update places set state = 'free', owner_id = null, version = places.version + 1
     from (values {rows:3 $1}) as v
     where places.organization_id = v.column4 and places.event_id = v.column1 and places.place = v.column2
       and places.owner_id = v.column3 and places.state in ('claimed', 'sold')
     returning event_id, place, state, owner_id, version",
);

const NOT_FREE: Sql = sql(
    "ticketing.taken_places",
    "select p.event_id, p.place, p.state, p.owner_id, p.version from (values {rows:2 $1}) as v
     cross join places p
     where p.organization_id = v.column3 and p.event_id = v.column1 and p.place = v.column2 and p.state <> 'free'",
);

/// A place with its owner, an order or a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OwnedPlace {
    pub(crate) event: EventId,
    pub(crate) place: PlaceNumber,
    /// The present or the wanted owner.
    pub(crate) owner: Uuid,
}

/// A place that was moved or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MovedPlace {
    pub(crate) event: EventId,
    /// The state after the move.
    pub(crate) effect: PlaceEffect,
}

row_struct! {
    struct PlaceRow {
        event_id: Uuid,
        place: i64,
        state: String,
        owner_id: Option<Uuid>,
        version: i64,
    }
}

impl PlaceRow {
    fn moved(self) -> DbResult<MovedPlace> {
        let effect = effect(self.place, &self.state, self.owner_id, self.version)?;
        Ok(MovedPlace { event: EventId::from_uuid(self.event_id), effect })
    }
}

/// Converts the columns of a place.
pub(super) fn effect(place: i64, state: &str, owner: Option<Uuid>, version: i64) -> DbResult<PlaceEffect> {
    Ok(PlaceEffect {
        place: PlaceNumber(u32::try_from(place)?),
        state: PlaceState::parse(state)?,
        owner,
        version: PlaceVersion(u32::try_from(version)?),
    })
}

/// Moves those of `wanted` that are free to the given states and returns them; the others stay as they are.
pub(crate) async fn take_free(
    tx: &mut Tx,
    organization: OrganizationId,
    mut wanted: Vec<(OwnedPlace, PlaceState)>,
) -> DbResult<Vec<MovedPlace>> {
    wanted.sort_unstable_by_key(|(owned, _)| *owned);
    let rows = wanted.into_iter().map(|(it, state)| row![it.event, it.place, state, it.owner]).collect();
    moved(tx.fetch_rows(TAKE, binds![organization], rows).await?)
}

/// Sells places that their owners have claimed; returns those that were claimed.
pub(crate) async fn sell_claimed(
    tx: &mut Tx,
    organization: OrganizationId,
    places: Vec<OwnedPlace>,
) -> DbResult<Vec<MovedPlace>> {
    moved(tx.fetch_rows(SELL_CLAIMED, binds![organization], rows(places)).await?)
}

/// Frees places that their owners have claimed or bought; returns those that were.
pub(crate) async fn free(
    tx: &mut Tx,
    organization: OrganizationId,
    places: Vec<OwnedPlace>,
) -> DbResult<Vec<MovedPlace>> {
    moved(tx.fetch_rows(FREE, binds![organization], rows(places)).await?)
}

/// Reads those of the places that are not free.
pub(crate) async fn find_not_free(
    tx: &mut Tx,
    organization: OrganizationId,
    mut places: Vec<(EventId, PlaceNumber)>,
) -> DbResult<Vec<MovedPlace>> {
    places.sort_unstable();
    places.dedup();
    let rows = places.into_iter().map(|(event, place)| row![event, place]).collect();
    moved(tx.fetch_rows(NOT_FREE, binds![organization], rows).await?)
}

fn rows(mut places: Vec<OwnedPlace>) -> Vec<[Value; 3]> {
    places.sort_unstable();
    places.into_iter().map(|it| row![it.event, it.place, it.owner]).collect()
}

fn moved(rows: Vec<PlaceRow>) -> DbResult<Vec<MovedPlace>> {
    let mut moved = rows.into_iter().map(PlaceRow::moved).collect::<DbResult<Vec<_>>>()?;
    // Engines return rows in any order.
    moved.sort_unstable_by_key(|moved| (moved.event, moved.effect.place));
    Ok(moved)
}
