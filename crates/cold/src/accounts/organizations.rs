//! Stores organizations, which the operator creates, and finds one by its identifier or by its slug.

use uuid::Uuid;
use voelgoed_app::accounts::ports::{ApiKey, Organization};
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use super::api_keys;
use super::audit::commit_act;
use crate::db::{Db, DbError, DbResult, Sql, SystemRole, binds, row_struct, sql};
use crate::idempotency;

const CREATE: Sql = sql(
    "organizations.create",
    "insert into organizations (id, name, slug, created_at) values ($1, $2, $3, $4) on conflict (slug) do nothing",
);
const READ: Sql = sql("organizations.read", "select id, name, slug, created_at from organizations where id = $1");
/// System role: the slug identifies the organization.
const BY_SLUG: Sql =
    sql("organizations.by_slug", "select id, name, slug, created_at from organizations where slug = $1");
/// System role: the operator sees every organization.
const LIST: Sql = sql(
    "organizations.list",
    "select id, name, slug, created_at from organizations where id > $1 order by id limit $2",
);

row_struct! {
    struct OrganizationRow {
        id: Uuid,
        name: String,
        slug: String,
        created_at: i64,
    }
}

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        Self {
            id: OrganizationId::from_uuid(row.id),
            name: row.name,
            slug: row.slug,
            created_at: Timestamp::from_micros(row.created_at),
        }
    }
}

/// Writes an organization with its first key. A repeated request is found by the slug, because it carries another identifier.
pub(super) async fn create(
    db: &Db,
    organization: &Organization,
    first_key: Option<&(ApiKey, [u8; 32])>,
    record: Option<&IdempotencyRecord>,
) -> DbResult<Result<Created<()>, Refusal>> {
    let Organization { id, name, slug, created_at } = organization;
    if let Some(existing) = by_slug(db, slug).await? {
        return reply_for_taken_slug(db, existing.id, record).await;
    }
    let mut tx = db.begin(*id).await?;
    if tx.execute(CREATE, binds![*id, name, slug, *created_at]).await? == 0 {
        tx.rollback().await?;
        // A concurrent request created it just now, perhaps a repeat of this one.
        let existing =
            by_slug(db, slug).await?.ok_or_else(|| DbError::internal("a slug is taken, but no organization has it"))?;
        return reply_for_taken_slug(db, existing.id, record).await;
    }
    if let Some(answer) = idempotency::record_or_replay(&mut tx, *id, record).await? {
        return Ok(answer);
    }
    if let Some((key, secret)) = first_key {
        api_keys::insert(&mut tx, key, *secret).await?;
    }
    commit_act(tx, *id).await?;
    Ok(Ok(Created::Fresh(())))
}

/// The answer where the slug is taken: the stored one for a repeated request, else `already_exists`.
async fn reply_for_taken_slug(
    db: &Db,
    existing: OrganizationId,
    record: Option<&IdempotencyRecord>,
) -> DbResult<Result<Created<()>, Refusal>> {
    if let Some(record) = record
        && let Some(answer) = idempotency::find_result(db, existing, &record.key, record.at).await?
    {
        return Ok(answer);
    }
    Ok(Err(Refusal::new(Code::AlreadyExists, "Another organization has this name in its URLs.")))
}

pub(super) async fn read(db: &Db, organization: OrganizationId) -> DbResult<Option<Organization>> {
    Ok(db.fetch_optional::<OrganizationRow>(organization, READ, binds![organization]).await?.map(Organization::from))
}

pub(super) async fn by_slug(db: &Db, slug: &str) -> DbResult<Option<Organization>> {
    Ok(db
        .fetch_optional::<OrganizationRow>(SystemRole::Directory, BY_SLUG, binds![slug])
        .await?
        .map(Organization::from))
}

pub(super) async fn list(db: &Db, page: PageRequest) -> DbResult<Page<Organization>> {
    let binds = binds![page.after.unwrap_or_default(), page.limit + 1];
    let rows: Vec<OrganizationRow> = db.fetch_all(SystemRole::Directory, LIST, binds).await?;
    Ok(Page::cut(rows, page.limit, |row| row.id).map(Organization::from))
}
