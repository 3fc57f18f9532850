//! Reads the places and used or revoked tickets of an event for a rebuild of the warm tier, and the state of single places.

use uuid::Uuid;
use voelgoed_app::ticketing::ports::ColdInventory;
use voelgoed_domain::ids::{EventId, OrganizationId, TicketId};
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::place::PlaceEffect;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::places::effect;
use crate::db::{Db, DbResult, Sql, binds, row, sql};

const PLACES: Sql = sql(
    "ticketing.read_places",
    "select place, state, owner_id, version from places where organization_id = $1 and event_id = $2 order by place",
);

const TICKETS: Sql = sql(
    "ticketing.read_tickets_not_valid",
    "select id, state from tickets where organization_id = $1 and event_id = $2 and state <> 'valid'",
);

const PLACES_BY_NUMBER: Sql = sql(
    "ticketing.read_some_places",
    "select p.place, p.state, p.owner_id, p.version from (values {rows:1 $1}) as v
     cross join places p where p.organization_id = v.column2 and p.event_id = $2 and p.place = v.column1",
);

type PlaceRow = (i64, String, Option<Uuid>, i64);

pub(super) async fn read(db: &Db, organization: OrganizationId, event: EventId) -> DbResult<ColdInventory> {
    let mut snapshot = db.snapshot(organization).await?;
    let places: Vec<PlaceRow> = snapshot.fetch_all(PLACES, binds![organization, event]).await?;
    let tickets: Vec<(Uuid, String)> = snapshot.fetch_all(TICKETS, binds![organization, event]).await?;
    snapshot.rollback().await?;
    let mut inventory = ColdInventory { places: effects(places)?, ..ColdInventory::default() };
    for (id, state) in tickets {
        let id = TicketId::from_uuid(id);
        match TicketState::parse(&state)? {
            TicketState::Valid => {}
            TicketState::Used => inventory.admitted.push(id),
            TicketState::Revoking | TicketState::Revoked => inventory.revoked.push(id),
        }
    }
    Ok(inventory)
}

pub(super) async fn read_some(
    db: &Db,
    organization: OrganizationId,
    event: EventId,
    places: &[PlaceNumber],
) -> DbResult<Vec<PlaceEffect>> {
    let mut wanted = places.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let keys = wanted.into_iter().map(|place| row![place]).collect();
    let mut effects = effects(db.fetch_rows(organization, PLACES_BY_NUMBER, binds![organization, event], keys).await?)?;
    effects.sort_unstable_by_key(|effect| effect.place);
    Ok(effects)
}

fn effects(rows: Vec<PlaceRow>) -> DbResult<Vec<PlaceEffect>> {
    rows.into_iter().map(|(place, state, owner, version)| effect(place, &state, owner, version)).collect()
}
