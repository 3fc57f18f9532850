//! Stores scanner devices: created with a one-time pairing code, found by the SHA-256 of their key, revoked without being deleted.
//!
//! Never: a pairing code used twice, a device at another event's gates.

use uuid::Uuid;
use voelgoed_app::accounts::credentials::RevokedCredential;
use voelgoed_app::environment::Environment;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::scanning::ports::Device;
use voelgoed_domain::ids::{DeviceId, EventId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use super::gates::event_exists;
use crate::accounts::audit::commit_act;
use crate::accounts::credential_revocation;
use crate::db::{Db, DbError, DbResult, Sql, SystemRole, Value, binds, row, row_struct, sql};
use crate::decode_rows::decode_each;
use crate::idempotency;
use crate::quotas::{self, Quota};

/// The columns of [`DeviceRow`].
macro_rules! device_columns {
    () => {
        "organization_id, id, event_id, name, gates, paired_at, revoked_at"
    };
}

const GATES: Sql = sql(
    "devices.gates",
    "select id from (values {rows:1 $1}) as v
     cross join gates where organization_id = v.column2 and event_id = $2 and id = v.column1",
);
const CREATE: Sql = sql(
    "devices.create",
    "insert into devices (organization_id, id, event_id, name, gates, pairing, pairing_ends, paired_at, revoked_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
);
const LIST: Sql = sql(
    "devices.list",
    concat!("select ", device_columns!(), " from devices where organization_id = $1 and event_id = $2 order by id"),
);
/// System role: the pairing code identifies the organization. The same statement deletes the code.
const PAIR: Sql = sql(
    "devices.pair",
    concat!(
        "update devices set pairing = null, secret = $2, paired_at = $3
         where pairing = $1 and pairing_ends > $3 and revoked_at is null returning ",
        device_columns!()
    ),
);
/// System role: the key identifies the organization.
const BY_KEY: Sql = sql("devices.by_key", concat!("select ", device_columns!(), " from devices where secret = $1"));
/// A revoked device keeps the moment of its first revocation; its pairing code is deleted.
const REVOKE: Sql = sql(
    "devices.revoke",
    "update devices set revoked_at = $3, pairing = null where organization_id = $1 and id = $2 and revoked_at is null",
);
const EXISTS: Sql = sql("devices.exists", "select id from devices where organization_id = $1 and id = $2");

row_struct! {
    struct DeviceRow {
        organization_id: Uuid,
        id: Uuid,
        event_id: Uuid,
        name: String,
        gates: String,
        paired_at: Option<i64>,
        revoked_at: Option<i64>,
    }
}

impl TryFrom<DeviceRow> for Device {
    type Error = DbError;

    fn try_from(row: DeviceRow) -> DbResult<Self> {
        Ok(Self {
            id: DeviceId::from_uuid(row.id),
            organization: OrganizationId::from_uuid(row.organization_id),
            event: EventId::from_uuid(row.event_id),
            name: row.name,
            gates: serde_json::from_str(&row.gates)?,
            paired_at: row.paired_at.map(Timestamp::from_micros),
            revoked_at: row.revoked_at.map(Timestamp::from_micros),
        })
    }
}

/// Writes a device that waits for pairing. Refused: `not_found` (event or gate).
pub(super) async fn create(
    db: &Db,
    organization: OrganizationId,
    device: &Device,
    pairing: [u8; 32],
    pairing_ends: Timestamp,
    record: Option<&IdempotencyRecord>,
) -> DbResult<Result<Created<()>, Refusal>> {
    let mut tx = db.begin(organization).await?;
    if let Some(answer) = idempotency::record_or_replay(&mut tx, organization, record).await? {
        return Ok(answer);
    }
    if let Err(refusal) = quotas::check(&mut tx, organization, Quota::Devices).await? {
        return Ok(Err(refusal));
    }
    let mut wanted: Vec<Uuid> = device.gates.iter().map(|gate| gate.uuid()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let keys = wanted.iter().map(|gate| row![*gate]).collect();
    let known: Vec<(Uuid,)> = tx.fetch_rows(GATES, binds![organization, device.event], keys).await?;
    if known.len() != wanted.len() || !event_exists(&mut tx, organization, device.event).await? {
        return Ok(Err(Refusal::not_found()));
    }
    let Device { id, event, name, gates, paired_at, revoked_at, .. } = device;
    let gates = Value::json(gates)?;
    let binds = binds![organization, *id, *event, name, gates, pairing, pairing_ends, *paired_at, *revoked_at];
    tx.execute(CREATE, binds).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(Created::Fresh(())))
}

/// An event's devices, oldest first.
pub(super) async fn list(db: &Db, organization: OrganizationId, event: EventId) -> DbResult<Vec<Device>> {
    let rows: Vec<DeviceRow> = db.fetch_all(organization, LIST, binds![organization, event]).await?;
    Ok(decode_each("devices", rows, Device::try_from))
}

/// Deletes a pairing code and stores the device's key. Refused: `pairing_expired`, also for a code that never existed.
pub(super) async fn pair(
    db: &Db,
    pairing: [u8; 32],
    key: [u8; 32],
    now: Timestamp,
) -> DbResult<Result<Device, Refusal>> {
    let mut tx = db.begin(SystemRole::Directory).await?;
    let Some(row) = tx.fetch_optional::<DeviceRow>(PAIR, binds![pairing, key, now]).await? else {
        return Ok(Err(Refusal::new(
            Code::PairingExpired,
            "This pairing code was used or has expired. Ask for another one.",
        )));
    };
    tx.commit().await?;
    Device::try_from(row).map(Ok)
}

/// The device that has this key, revoked or not.
pub(super) async fn by_key(db: &Db, key: [u8; 32]) -> DbResult<Option<Device>> {
    db.fetch_optional::<DeviceRow>(SystemRole::Directory, BY_KEY, binds![key]).await?.map(Device::try_from).transpose()
}

/// Revokes a device; false where the organization has no such device.
pub(super) async fn revoke(
    db: &Db,
    environment: &dyn Environment,
    organization: OrganizationId,
    device: DeviceId,
    now: Timestamp,
) -> DbResult<bool> {
    let mut tx = db.begin(organization).await?;
    if tx.execute(REVOKE, binds![organization, device, now]).await? == 0 {
        return Ok(tx.fetch_optional::<(Uuid,)>(EXISTS, binds![organization, device]).await?.is_some());
    }
    credential_revocation::append_event(&mut tx, environment, organization, RevokedCredential::Device(device), now)
        .await?;
    commit_act(tx, organization).await?;
    Ok(true)
}
