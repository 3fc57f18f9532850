//! Tenants: made by the operator, found by identifier or by their name in URLs.

use uuid::Uuid;
use voelgoed_app::accounts::ports::{ApiKey, Organization};
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use super::api_keys;
use super::audit::commit_act;
use crate::db::{Db, Error, Result, Sql, System, binds, sql};
use crate::idempotency;

const CREATE: Sql = sql(
    "organizations.create",
    "insert into organizations (id, name, slug, created_at) values ($1, $2, $3, $4) on conflict (slug) do nothing",
);
const READ: Sql = sql("organizations.read", "select id, name, slug, created_at from organizations where id = $1");
/// System role: the name tells the tenant.
const BY_SLUG: Sql =
    sql("organizations.by_slug", "select id, name, slug, created_at from organizations where slug = $1");
/// System role: the operator sees every tenant.
const LIST: Sql = sql(
    "organizations.list",
    "select id, name, slug, created_at from organizations where id > $1 order by id limit $2",
);

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    name: String,
    slug: String,
    created_at: i64,
}

impl From<Row> for Organization {
    fn from(row: Row) -> Self {
        Self {
            id: OrganizationId::from_uuid(row.id),
            name: row.name,
            slug: row.slug,
            created_at: Timestamp::from_micros(row.created_at),
        }
    }
}

/// Writes an organization with its first key. A repeat is found by its slug.
pub(super) async fn create(
    db: &Db,
    organization: &Organization,
    first_key: Option<&(ApiKey, [u8; 32])>,
    record: Option<&IdempotencyRecord>,
) -> Result<std::result::Result<Created<()>, Refusal>> {
    let Organization { id, name, slug, created_at } = organization;
    if let Some(known) = by_slug(db, slug).await? {
        return taken(db, known.id, record).await;
    }
    let mut tx = db.begin(*id).await?;
    if tx.execute(CREATE, binds![*id, name, slug, *created_at]).await? == 0 {
        tx.rollback().await?;
        // Somebody made it just now, perhaps this very request.
        let known = by_slug(db, slug).await?.ok_or_else(|| Error::internal("a slug is taken by no organization"))?;
        return taken(db, known.id, record).await;
    }
    if let Some(answer) = idempotency::note(&mut tx, *id, record).await? {
        return Ok(answer);
    }
    if let Some((key, secret)) = first_key {
        api_keys::insert(&mut tx, key, *secret).await?;
    }
    commit_act(tx, *id).await?;
    Ok(Ok(Created::Fresh(())))
}

/// What the request is answered where the slug is taken: its first answer where it is a repeat, else `already_exists`.
async fn taken(
    db: &Db,
    known: OrganizationId,
    record: Option<&IdempotencyRecord>,
) -> Result<std::result::Result<Created<()>, Refusal>> {
    if let Some(record) = record
        && let Some(answer) = idempotency::answered(db, known, &record.key, record.at).await?
    {
        return Ok(answer);
    }
    Ok(Err(Refusal::new(Code::AlreadyExists, "Another organization has this name in its URLs.")))
}

pub(super) async fn read(db: &Db, organization: OrganizationId) -> Result<Option<Organization>> {
    Ok(db.fetch_optional::<Row>(organization, READ, binds![organization]).await?.map(Organization::from))
}

pub(super) async fn by_slug(db: &Db, slug: &str) -> Result<Option<Organization>> {
    Ok(db.fetch_optional::<Row>(System::Directory, BY_SLUG, binds![slug]).await?.map(Organization::from))
}

pub(super) async fn list(db: &Db, page: PageRequest) -> Result<Page<Organization>> {
    let binds = binds![page.after.unwrap_or_default(), page.most + 1];
    let rows: Vec<Row> = db.fetch_all(System::Directory, LIST, binds).await?;
    Ok(Page::cut(rows, page.most, |row| row.id).map(Organization::from))
}
