//! Stores the gates of an event, each for some or all of its areas.

use uuid::Uuid;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::scanning::ports::Gate;
use voelgoed_domain::ids::{EventId, GateId, OrganizationId};
use voelgoed_domain::refusal::Refusal;

use crate::accounts::audit::commit_act;
use crate::db::{Db, DbError, DbResult, Sql, Tx, Value, binds, row_struct, sql};
use crate::decode_rows::decode_each;
use crate::idempotency;
use crate::quotas::{self, Quota};

const EVENT: Sql = sql("gates.event", "select id from events where organization_id = $1 and id = $2");
const CREATE: Sql =
    sql("gates.create", "insert into gates (organization_id, id, event_id, name, areas) values ($1, $2, $3, $4, $5)");
const LIST: Sql = sql(
    "gates.list",
    "select id, event_id, name, areas from gates where organization_id = $1 and event_id = $2 order by id",
);

row_struct! {
    struct GateRow {
        id: Uuid,
        event_id: Uuid,
        name: String,
        areas: String,
    }
}

impl TryFrom<GateRow> for Gate {
    type Error = DbError;

    fn try_from(row: GateRow) -> DbResult<Self> {
        Ok(Self {
            id: GateId::from_uuid(row.id),
            event: EventId::from_uuid(row.event_id),
            name: row.name,
            areas: serde_json::from_str(&row.areas)?,
        })
    }
}

/// True where the organization has this event.
pub(super) async fn event_exists(tx: &mut Tx, organization: OrganizationId, event: EventId) -> DbResult<bool> {
    Ok(tx.fetch_optional::<(Uuid,)>(EVENT, binds![organization, event]).await?.is_some())
}

/// Writes a gate. Refused: `not_found` (event).
pub(super) async fn create(
    db: &Db,
    organization: OrganizationId,
    gate: &Gate,
    record: Option<&IdempotencyRecord>,
) -> DbResult<Result<Created<()>, Refusal>> {
    let mut tx = db.begin(organization).await?;
    if let Some(answer) = idempotency::record_or_replay(&mut tx, organization, record).await? {
        return Ok(answer);
    }
    if !event_exists(&mut tx, organization, gate.event).await? {
        return Ok(Err(Refusal::not_found()));
    }
    if let Err(refusal) = quotas::check(&mut tx, organization, Quota::Gates(gate.event)).await? {
        return Ok(Err(refusal));
    }
    tx.execute(CREATE, binds![organization, gate.id, gate.event, &gate.name, Value::json(&gate.areas)?]).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(Created::Fresh(())))
}

/// An event's gates, oldest first.
pub(super) async fn list(db: &Db, organization: OrganizationId, event: EventId) -> DbResult<Vec<Gate>> {
    let rows: Vec<GateRow> = db.fetch_all(organization, LIST, binds![organization, event]).await?;
    Ok(decode_each("gates", rows, Gate::try_from))
}
