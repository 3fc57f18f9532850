//! How much an organization may have: counted in the transaction that adds to it, under a lock of the organization, so that of two requests for the
//! last one, one is refused.
//!
//! To add a quota: a variant of [`Quota`], its statement, its field in `voelgoed_app::accounts::quotas`, its setting.

use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::refusal::Refusal;

use crate::db::{Result, Sql, Tx, binds, sql};

const LOCK: Sql = sql(
    "quotas.lock",
    "insert into quota_locks (organization_id) values ($1)
     on conflict (organization_id) do update set organization_id = excluded.organization_id",
);
const MEMBERS: Sql = sql("quotas.members", "select count(*) from members where organization_id = $1");
const API_KEYS: Sql =
    sql("quotas.api_keys", "select count(*) from api_keys where organization_id = $1 and revoked_at is null");
const DEVICES: Sql =
    sql("quotas.devices", "select count(*) from devices where organization_id = $1 and revoked_at is null");
const EVENTS: Sql = sql("quotas.events", "select count(*) from events where organization_id = $1");
const LAYOUTS: Sql = sql("quotas.layouts", "select count(*) from layouts where organization_id = $1");
const SEATS: Sql =
    sql("quotas.seats", "select cast(coalesce(sum(places), 0) as bigint) from layouts where organization_id = $1");
const VENUES: Sql = sql("quotas.venues", "select count(*) from venues where organization_id = $1");
const TICKET_TYPES: Sql =
    sql("quotas.ticket_types", "select count(*) from ticket_types where organization_id = $1 and event_id = $2");
const PRICE_RULES: Sql =
    sql("quotas.price_rules", "select count(*) from price_rules where organization_id = $1 and event_id = $2");
const GATES: Sql = sql("quotas.gates", "select count(*) from gates where organization_id = $1 and event_id = $2");

/// What is added.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Quota {
    /// A member.
    Members,
    /// A key that is not revoked.
    ApiKeys,
    /// A device that is not revoked.
    Devices,
    /// An event.
    Events,
    /// A seating plan.
    Layouts,
    /// The places of a seating plan.
    Seats(u32),
    /// A venue.
    Venues,
    /// A ticket type of an event.
    TicketTypes(EventId),
    /// A price rule of an event.
    PriceRules(EventId),
    /// A gate of an event.
    Gates(EventId),
}

impl Quota {
    fn of(self, quotas: &Quotas) -> (Sql, &'static str, u64, u64) {
        match self {
            Self::Members => (MEMBERS, "members_max", quotas.members_max, 1),
            Self::ApiKeys => (API_KEYS, "api_keys_max", quotas.api_keys_max, 1),
            Self::Devices => (DEVICES, "devices_max", quotas.devices_max, 1),
            Self::Events => (EVENTS, "events_max", quotas.events_max, 1),
            Self::Layouts => (LAYOUTS, "layouts_max", quotas.layouts_max, 1),
            Self::Seats(places) => (SEATS, "seats_max", quotas.seats_max, u64::from(places)),
            Self::Venues => (VENUES, "venues_max", quotas.venues_max, 1),
            Self::TicketTypes(_) => (TICKET_TYPES, "ticket_types_per_event_max", quotas.ticket_types_per_event_max, 1),
            Self::PriceRules(_) => (PRICE_RULES, "price_rules_per_event_max", quotas.price_rules_per_event_max, 1),
            Self::Gates(_) => (GATES, "gates_per_event_max", quotas.gates_per_event_max, 1),
        }
    }

    /// The event, where it is counted for one.
    const fn event(self) -> Option<EventId> {
        match self {
            Self::TicketTypes(event) | Self::PriceRules(event) | Self::Gates(event) => Some(event),
            Self::Members
            | Self::ApiKeys
            | Self::Devices
            | Self::Events
            | Self::Layouts
            | Self::Seats(_)
            | Self::Venues => None,
        }
    }
}

/// Makes others that count or change the same organization wait until this transaction is over.
pub(crate) async fn lock(tx: &mut Tx, organization: OrganizationId) -> Result<()> {
    tx.execute(LOCK, binds![organization]).await?;
    Ok(())
}

/// Whether the organization may have what is added. Refused: `quota_reached`.
pub(crate) async fn check(
    tx: &mut Tx,
    organization: OrganizationId,
    quota: Quota,
) -> Result<std::result::Result<(), Refusal>> {
    lock(tx, organization).await?;
    let (count, name, most, added) = quota.of(tx.quotas());
    let binds = match quota.event() {
        Some(event) => binds![organization, event],
        None => binds![organization],
    };
    let found = tx.fetch_optional::<(i64,)>(count, binds).await?;
    let there = u64::try_from(found.map_or(0, |(count,)| count))?;
    Ok(if there.saturating_add(added) > most { Err(Refusal::quota(name, most)) } else { Ok(()) })
}
