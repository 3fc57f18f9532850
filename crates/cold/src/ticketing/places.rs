//! The statements that move places, each conditional on the state before, for many places of many orders at once.
//!
//! Never: a place by a rule of its own; callers name the transition. Rows are given in the order of (event, place), so that two transactions of an
//! engine with row locks cannot wait for each other in a circle.

use uuid::Uuid;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::ticketing::place::{PlaceEffect, PlaceNumber, PlaceState, PlaceVersion};
use voelgoed_planted::Bug;

use crate::db::{Result, Sql, Tx, Value, binds, row, sql};

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

const TAKEN: Sql = sql(
    "ticketing.taken_places",
    "select p.event_id, p.place, p.state, p.owner_id, p.version from (values {rows:2 $1}) as v
     cross join places p
     where p.organization_id = v.column3 and p.event_id = v.column1 and p.place = v.column2 and p.state <> 'free'",
);

/// A place of somebody: an order, or a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owned {
    /// Whose event.
    pub(crate) event: EventId,
    /// Which place.
    pub(crate) place: PlaceNumber,
    /// Who has it, or is to have it.
    pub(crate) owner: Uuid,
}

/// A place that was moved, or found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Whose event.
    pub(crate) event: EventId,
    /// How it stands now.
    pub(crate) effect: PlaceEffect,
}

#[derive(sqlx::FromRow)]
struct PlaceRow {
    event_id: Uuid,
    place: i64,
    state: String,
    owner_id: Option<Uuid>,
    version: i64,
}

impl PlaceRow {
    fn moved(self) -> Result<Moved> {
        let effect = effect(self.place, &self.state, self.owner_id, self.version)?;
        Ok(Moved { event: EventId::from_uuid(self.event_id), effect })
    }
}

/// A place as rows have it.
pub(super) fn effect(place: i64, state: &str, owner: Option<Uuid>, version: i64) -> Result<PlaceEffect> {
    Ok(PlaceEffect {
        place: PlaceNumber(u32::try_from(place)?),
        state: PlaceState::parse(state)?,
        owner,
        version: PlaceVersion(u32::try_from(version)?),
    })
}

/// Takes those of `wanted` that are free to the state that is named beside each; the others stay as they are and are not returned.
pub(crate) async fn take(
    tx: &mut Tx,
    organization: OrganizationId,
    mut wanted: Vec<(Owned, PlaceState)>,
) -> Result<Vec<Moved>> {
    wanted.sort_unstable_by_key(|(owned, _)| *owned);
    let rows = wanted.into_iter().map(|(it, state)| row![it.event, it.place, state, it.owner]).collect();
    moved(
        tx.fetch_rows(
            TAKE.planted(Bug::ClaimsTaken, "where places.state = 'free'", "where true"),
            binds![organization],
            rows,
        )
        .await?,
    )
}

/// Sells places that their orders have claimed; returns those that were.
pub(crate) async fn sell_claimed(tx: &mut Tx, organization: OrganizationId, places: Vec<Owned>) -> Result<Vec<Moved>> {
    moved(tx.fetch_rows(SELL_CLAIMED, binds![organization], rows(places)).await?)
}

/// Frees places that their orders have claimed or sold; returns those that were.
pub(crate) async fn free(tx: &mut Tx, organization: OrganizationId, places: Vec<Owned>) -> Result<Vec<Moved>> {
    moved(tx.fetch_rows(FREE, binds![organization], rows(places)).await?)
}

/// Those of some places that are not free.
pub(crate) async fn taken(
    tx: &mut Tx,
    organization: OrganizationId,
    mut places: Vec<(EventId, PlaceNumber)>,
) -> Result<Vec<Moved>> {
    places.sort_unstable();
    places.dedup();
    let rows = places.into_iter().map(|(event, place)| row![event, place]).collect();
    moved(tx.fetch_rows(TAKEN, binds![organization], rows).await?)
}

fn rows(mut places: Vec<Owned>) -> Vec<[Value; 3]> {
    places.sort_unstable();
    places.into_iter().map(|it| row![it.event, it.place, it.owner]).collect()
}

fn moved(rows: Vec<PlaceRow>) -> Result<Vec<Moved>> {
    let mut moved = rows.into_iter().map(PlaceRow::moved).collect::<Result<Vec<_>>>()?;
    // Engines return rows in any order; readers like theirs by place.
    moved.sort_unstable_by_key(|moved| (moved.event, moved.effect.place));
    Ok(moved)
}
