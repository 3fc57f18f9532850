//! People who work for an organization. Their e-mail address names the tenant at login, so it is unique over all of them.

use uuid::Uuid;
use voelgoed_app::accounts::ports::Member;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::{MemberId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use crate::db::{Db, Result, Sql, System, Value, binds, sql};
use crate::idempotency;
use crate::readable::readable_page;

const CREATE: Sql = sql(
    "members.create",
    "insert into members (organization_id, id, name, email, password_hash, scopes, created_at)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (email) do nothing",
);
const LIST: Sql = sql(
    "members.list",
    "select organization_id, id, name, email, scopes, created_at from members
     where organization_id = $1 and id > $2 order by id limit $3",
);
/// System role: the address tells the tenant.
const BY_EMAIL: Sql = sql(
    "members.by_email",
    "select organization_id, id, name, email, scopes, created_at, password_hash from members where email = $1",
);

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    organization_id: Uuid,
    id: Uuid,
    name: String,
    email: String,
    scopes: String,
    created_at: i64,
}

impl TryFrom<Row> for Member {
    type Error = crate::db::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: MemberId::from_uuid(row.id),
            organization: OrganizationId::from_uuid(row.organization_id),
            name: row.name,
            email: row.email,
            scopes: serde_json::from_str(&row.scopes)?,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

#[derive(sqlx::FromRow)]
struct RowWithPassword {
    #[sqlx(flatten)]
    member: Row,
    password_hash: String,
}

pub(super) async fn create(
    db: &Db,
    member: &Member,
    password_hash: &str,
    record: Option<&IdempotencyRecord>,
) -> Result<std::result::Result<Created<()>, Refusal>> {
    let mut tx = db.begin(member.organization).await?;
    if let Some(answer) = idempotency::note(&mut tx, member.organization, record).await? {
        return Ok(answer);
    }
    let Member { id, organization, name, email, scopes, created_at } = member;
    let binds = binds![*organization, *id, name, email, password_hash, Value::json(scopes)?, *created_at];
    if tx.execute(CREATE, binds).await? == 0 {
        return Ok(Err(Refusal::new(Code::AlreadyExists, "Somebody logs in with this e-mail address already.")));
    }
    tx.commit().await?;
    Ok(Ok(Created::Fresh(())))
}

pub(super) async fn list(db: &Db, organization: OrganizationId, page: PageRequest) -> Result<Page<Member>> {
    let binds = binds![organization, page.after.unwrap_or_default(), page.most + 1];
    let rows: Vec<Row> = db.fetch_all(organization, LIST, binds).await?;
    Ok(readable_page("members", Page::cut(rows, page.most, |row| row.id), Member::try_from))
}

pub(super) async fn by_email(db: &Db, email: &str) -> Result<Option<(Member, String)>> {
    let found = db.fetch_optional::<RowWithPassword>(System::Directory, BY_EMAIL, binds![email]).await?;
    found.map(|row| Ok((row.member.try_into()?, row.password_hash))).transpose()
}
