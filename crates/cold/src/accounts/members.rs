//! Stores the members of organizations. An e-mail address is unique within an organization only, since one person may work for several.

use uuid::Uuid;
use voelgoed_app::accounts::ports::{Member, MemberChange};
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::accounts::last_administrator::{Administrator, Administrators};
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{ApiKeyId, MemberId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use super::audit::commit_act;
use super::member_row::MemberRow;
use super::sessions;
use crate::db::{Db, DbResult, Sql, SystemRole, Tx, Value, binds, row_struct, sql};
use crate::decode_rows::decode_page;
use crate::idempotency;
use crate::quotas::{self, Quota};

const CREATE: Sql = sql(
    "members.create",
    "insert into members (organization_id, id, name, email, password_hash, scopes, created_at)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (organization_id, email) do nothing",
);
const LIST: Sql = sql(
    "members.list",
    "select organization_id, id, name, email, scopes, created_at, disabled_at from members
     where organization_id = $1 and id > $2 order by id limit $3",
);
const READ: Sql = sql(
    "members.read",
    "select organization_id, id, name, email, scopes, created_at, disabled_at, password_hash from members
     where organization_id = $1 and id = $2",
);
/// System role: the address identifies the organizations.
const BY_EMAIL: Sql = sql(
    "members.by_email",
    "select organization_id, id, name, email, scopes, created_at, disabled_at, password_hash from members
     where email = $1 order by organization_id limit $2",
);
const CHANGE: Sql = sql(
    "members.change",
    "update members set name = $3, scopes = $4, disabled_at = $5, password_hash = $6 where organization_id = $1 and id = $2",
);
const ENABLED: Sql =
    sql("members.enabled", "select id, scopes from members where organization_id = $1 and disabled_at is null");
const KEYS: Sql =
    sql("members.keys", "select id, scopes from api_keys where organization_id = $1 and revoked_at is null");

row_struct! {
    struct MemberRowWithPassword {
        password_hash: String,
        ..member: MemberRow
    }
}

impl MemberRowWithPassword {
    fn parts(self) -> DbResult<(Member, String)> {
        Ok((self.member.try_into()?, self.password_hash))
    }
}

pub(super) async fn create(
    db: &Db,
    member: &Member,
    password_hash: &str,
    record: Option<&IdempotencyRecord>,
) -> DbResult<Result<Created<()>, Refusal>> {
    let mut tx = db.begin(member.organization).await?;
    if let Some(answer) = idempotency::record_or_replay(&mut tx, member.organization, record).await? {
        return Ok(answer);
    }
    if let Err(refusal) = quotas::check(&mut tx, member.organization, Quota::Members).await? {
        return Ok(Err(refusal));
    }
    let Member { id, organization, name, email, scopes, created_at, .. } = member;
    let binds = binds![*organization, *id, name, email, password_hash, Value::json(scopes)?, *created_at];
    if tx.execute(CREATE, binds).await? == 0 {
        return Ok(Err(Refusal::new(Code::AlreadyExists, "A member of this organization has this e-mail address.")));
    }
    commit_act(tx, member.organization).await?;
    Ok(Ok(Created::Fresh(())))
}

pub(super) async fn list(db: &Db, organization: OrganizationId, page: PageRequest) -> DbResult<Page<Member>> {
    let binds = binds![organization, page.after.unwrap_or_default(), page.limit + 1];
    let rows: Vec<MemberRow> = db.fetch_all(organization, LIST, binds).await?;
    Ok(decode_page("members", Page::cut(rows, page.limit, |row| row.id), Member::try_from))
}

pub(super) async fn read(db: &Db, organization: OrganizationId, id: MemberId) -> DbResult<Option<(Member, String)>> {
    let found = db.fetch_optional::<MemberRowWithPassword>(organization, READ, binds![organization, id]).await?;
    found.map(MemberRowWithPassword::parts).transpose()
}

pub(super) async fn by_email(db: &Db, email: &str, limit: u32) -> DbResult<Vec<(Member, String)>> {
    let found: Vec<MemberRowWithPassword> = db.fetch_all(SystemRole::Directory, BY_EMAIL, binds![email, limit]).await?;
    found.into_iter().map(MemberRowWithPassword::parts).collect()
}

/// Changes a member. A member who is disabled or gets another password is logged out in the same commit.
pub(super) async fn change(
    db: &Db,
    organization: OrganizationId,
    id: MemberId,
    change: &MemberChange,
    now: Timestamp,
) -> DbResult<Result<Member, Refusal>> {
    let mut tx = db.begin(organization).await?;
    // Locked before the rows are read: otherwise two administrators could disable each other at the same time.
    quotas::lock(&mut tx, organization).await?;
    let Some(found) = tx.fetch_optional::<MemberRowWithPassword>(READ, binds![organization, id]).await? else {
        return Ok(Err(Refusal::not_found()));
    };
    let (before, hash) = found.parts()?;
    let mut after = before.clone();
    change.apply(&mut after, now);
    let had = before.disabled_at.is_none() && before.scopes.contains(&Scope::Admin);
    let has = after.disabled_at.is_none() && after.scopes.contains(&Scope::Admin);
    if had && !has {
        let all = administrators(&mut tx, organization).await?;
        if let Err(refusal) = all.check_removal(Administrator::Member(id), change.by_itself) {
            return Ok(Err(refusal));
        }
    }
    if after == before && change.password_hash.is_none() {
        return Ok(Ok(after));
    }
    let hash = change.password_hash.as_ref().unwrap_or(&hash);
    let scopes = Value::json(&after.scopes)?;
    tx.execute(CHANGE, binds![organization, id, &after.name, scopes, after.disabled_at, hash]).await?;
    if change.password_hash.is_some() || after.disabled_at.is_some() {
        sessions::end_all(&mut tx, organization, id).await?;
    }
    commit_act(tx, organization).await?;
    Ok(Ok(after))
}

/// The enabled members and valid keys that can administer the organization.
pub(super) async fn administrators(tx: &mut Tx, organization: OrganizationId) -> DbResult<Administrators> {
    let administers = |(id, scopes): (Uuid, String)| -> DbResult<Option<Uuid>> {
        let scopes: Vec<Scope> = serde_json::from_str(&scopes)?;
        Ok(scopes.contains(&Scope::Admin).then_some(id))
    };
    let members: Vec<(Uuid, String)> = tx.fetch_all(ENABLED, binds![organization]).await?;
    let keys: Vec<(Uuid, String)> = tx.fetch_all(KEYS, binds![organization]).await?;
    let of = |rows: Vec<(Uuid, String)>| rows.into_iter().map(administers).collect::<DbResult<Vec<_>>>();
    Ok(Administrators {
        members: of(members)?.into_iter().flatten().map(MemberId::from_uuid).collect(),
        keys: of(keys)?.into_iter().flatten().map(ApiKeyId::from_uuid).collect(),
    })
}
