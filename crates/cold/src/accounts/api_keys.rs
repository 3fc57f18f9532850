//! Stores API keys, finds one by the SHA-256 of its secret, and revokes keys without deleting them.

use uuid::Uuid;
use voelgoed_app::accounts::credentials::RevokedCredential;
use voelgoed_app::accounts::ports::ApiKey;
use voelgoed_app::environment::Environment;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::accounts::last_administrator::Administrator;
use voelgoed_domain::ids::{ApiKeyId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::audit::commit_act;
use super::{credential_revocation, members};
use crate::db::{Db, DbResult, Sql, SystemRole, Tx, Value, binds, row_struct, sql};
use crate::decode_rows::decode_page;
use crate::idempotency;
use crate::quotas::{self, Quota};

const CREATE: Sql = sql(
    "api_keys.create",
    "insert into api_keys (organization_id, id, name, secret, scopes, created_at, revoked_at) values ($1, $2, $3, $4, $5, $6, $7)",
);
const LIST: Sql = sql(
    "api_keys.list",
    "select organization_id, id, name, scopes, created_at, revoked_at from api_keys
     where organization_id = $1 and id > $2 order by id limit $3",
);
/// System role: the secret identifies the organization.
const BY_SECRET: Sql = sql(
    "api_keys.by_secret",
    "select organization_id, id, name, scopes, created_at, revoked_at from api_keys where secret = $1",
);
/// A revoked key keeps the moment of its first revocation.
const REVOKE: Sql = sql(
    "api_keys.revoke",
    "update api_keys set revoked_at = $3 where organization_id = $1 and id = $2 and revoked_at is null",
);
const EXISTS: Sql = sql("api_keys.exists", "select id from api_keys where organization_id = $1 and id = $2");

row_struct! {
    struct ApiKeyRow {
        organization_id: Uuid,
        id: Uuid,
        name: String,
        scopes: String,
        created_at: i64,
        revoked_at: Option<i64>,
    }
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = crate::db::DbError;

    fn try_from(row: ApiKeyRow) -> DbResult<Self> {
        Ok(Self {
            id: ApiKeyId::from_uuid(row.id),
            organization: OrganizationId::from_uuid(row.organization_id),
            name: row.name,
            scopes: serde_json::from_str(&row.scopes)?,
            created_at: Timestamp::from_micros(row.created_at),
            revoked_at: row.revoked_at.map(Timestamp::from_micros),
        })
    }
}

pub(super) async fn create(
    db: &Db,
    key: &ApiKey,
    secret: [u8; 32],
    record: Option<&IdempotencyRecord>,
) -> DbResult<Result<Created<()>, Refusal>> {
    let mut tx = db.begin(key.organization).await?;
    if let Some(answer) = idempotency::record_or_replay(&mut tx, key.organization, record).await? {
        return Ok(answer);
    }
    if let Err(refusal) = quotas::check(&mut tx, key.organization, Quota::ApiKeys).await? {
        return Ok(Err(refusal));
    }
    insert(&mut tx, key, secret).await?;
    commit_act(tx, key.organization).await?;
    Ok(Ok(Created::Fresh(())))
}

/// Inserts a key in the caller's transaction.
pub(super) async fn insert(tx: &mut Tx, key: &ApiKey, secret: [u8; 32]) -> DbResult<()> {
    let ApiKey { id, organization, name, scopes, created_at, revoked_at } = key;
    tx.execute(CREATE, binds![*organization, *id, name, secret, Value::json(scopes)?, *created_at, *revoked_at])
        .await?;
    Ok(())
}

pub(super) async fn list(db: &Db, organization: OrganizationId, page: PageRequest) -> DbResult<Page<ApiKey>> {
    let binds = binds![organization, page.after.unwrap_or_default(), page.limit + 1];
    let rows: Vec<ApiKeyRow> = db.fetch_all(organization, LIST, binds).await?;
    Ok(decode_page("api_keys", Page::cut(rows, page.limit, |row| row.id), ApiKey::try_from))
}

pub(super) async fn by_secret(db: &Db, secret: [u8; 32]) -> DbResult<Option<ApiKey>> {
    db.fetch_optional::<ApiKeyRow>(SystemRole::Directory, BY_SECRET, binds![secret])
        .await?
        .map(ApiKey::try_from)
        .transpose()
}

/// Revokes a key. Refused: `not_found`, `last_administrator`.
pub(super) async fn revoke(
    db: &Db,
    environment: &dyn Environment,
    organization: OrganizationId,
    key: ApiKeyId,
    by_itself: bool,
    now: Timestamp,
) -> DbResult<Result<(), Refusal>> {
    let mut tx = db.begin(organization).await?;
    quotas::lock(&mut tx, organization).await?;
    let all = members::administrators(&mut tx, organization).await?;
    if let Err(refusal) = all.check_removal(Administrator::Key(key), by_itself) {
        return Ok(Err(refusal));
    }
    if tx.execute(REVOKE, binds![organization, key, now]).await? == 0 {
        let exists = tx.fetch_optional::<(Uuid,)>(EXISTS, binds![organization, key]).await?;
        return Ok(exists.map(|_| ()).ok_or_else(Refusal::not_found));
    }
    credential_revocation::append_event(&mut tx, environment, organization, RevokedCredential::ApiKey(key), now)
        .await?;
    commit_act(tx, organization).await?;
    Ok(Ok(()))
}
