//! Checks quotas of an organization in the transaction that creates a row, under a lock, so that two requests cannot both take the last one.
//!
//! To add a quota: a variant of [`Quota`], its statement, its field in `voelgoed_app::accounts::quotas`, its setting.

use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::refusal::Refusal;

use crate::db::{DbResult, Sql, Tx, binds, sql};

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

/// The kind of row that a transaction adds; each kind has a limit per organization or event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Quota {
    Members,
    /// Revoked keys do not count.
    ApiKeys,
    /// Revoked devices do not count.
    Devices,
    Events,
    Layouts,
    /// The places of all layouts; this many are added.
    Seats(u32),
    Venues,
    TicketTypes(EventId),
    PriceRules(EventId),
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

    /// The event of a quota per event.
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

/// Locks the organization: other transactions that take this lock wait until this one has ended.
pub(crate) async fn lock(tx: &mut Tx, organization: OrganizationId) -> DbResult<()> {
    tx.execute(LOCK, binds![organization]).await?;
    Ok(())
}

/// Locks the organization and checks a quota. Refused: `quota_reached`.
pub(crate) async fn check(tx: &mut Tx, organization: OrganizationId, quota: Quota) -> DbResult<Result<(), Refusal>> {
    lock(tx, organization).await?;
    let (count, name, limit, added) = quota.of(tx.quotas());
    let binds = match quota.event() {
        Some(event) => binds![organization, event],
        None => binds![organization],
    };
    let found = tx.fetch_optional::<(i64,)>(count, binds).await?;
    let present = u64::try_from(found.map_or(0, |(count,)| count))?;
    Ok(if present.saturating_add(added) > limit { Err(Refusal::quota(name, limit)) } else { Ok(()) })
}
