//! Logins of the console: a hashed cookie, an identifier to list it by, an end.
//!
//! Never: more than [`MOST`] logins of one member; the one that ends first gives way, so the table has a bound without a sweep. A CSRF token is derived
//! from the cookie and stands in no table.

use uuid::Uuid;
use voelgoed_app::accounts::ports::{ConsoleSession, MemberLogin, NewSession};
use voelgoed_domain::ids::{LoginId, MemberId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use super::audit::commit_act;
use super::members;
use crate::db::{Db, Result, Sql, System, Tx, binds, sql};

/// Logins of one member at once.
const MOST: u32 = 20;

/// A member who was disabled, or got another password, since the password was checked is not logged in.
const CREATE: Sql = sql(
    "sessions.create",
    "insert into console_sessions (organization_id, token, member_id, id, created_at, expires_at)
     select organization_id, $3, id, $4, $5, $6 from members
     where organization_id = $1 and id = $2 and disabled_at is null and password_hash = $7",
);
const BOUND: Sql = sql(
    "sessions.bound",
    "delete from console_sessions where organization_id = $1 and token in
     (select token from console_sessions where organization_id = $1 and member_id = $2 order by expires_at desc, token limit 1000000 offset $3)",
);
/// System role: the token tells the tenant.
const BY_TOKEN: Sql = sql(
    "sessions.by_token",
    "select m.organization_id, m.id, m.name, m.email, m.scopes, m.created_at, m.disabled_at, s.id as login_id, s.expires_at
     from console_sessions s join members m on m.organization_id = s.organization_id and m.id = s.member_id
     where s.token = $1 and s.expires_at > $2 and m.disabled_at is null",
);
/// System role: the token tells the tenant.
const END: Sql = sql("sessions.end", "delete from console_sessions where token = $1");
const OF_MEMBER: Sql = sql(
    "sessions.of_member",
    "select id, created_at, expires_at from console_sessions
     where organization_id = $1 and member_id = $2 and expires_at > $3 and id is not null order by id",
);
const END_ONE: Sql =
    sql("sessions.end_one", "delete from console_sessions where organization_id = $1 and member_id = $2 and id = $3");
const END_ALL: Sql =
    sql("sessions.end_all", "delete from console_sessions where organization_id = $1 and member_id = $2");

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    member: members::Row,
    login_id: Option<Uuid>,
    expires_at: i64,
}

/// False where the member may not log in (any more).
pub(super) async fn create(
    db: &Db,
    organization: OrganizationId,
    member: MemberId,
    session: &NewSession,
) -> Result<bool> {
    let NewSession { login, token, password_hash, created_at, expires_at } = session;
    let mut tx = db.begin(organization).await?;
    let values = binds![organization, member, *token, *login, *created_at, *expires_at, password_hash];
    if tx.execute(CREATE, values).await? == 0 {
        return Ok(false);
    }
    tx.execute(BOUND, binds![organization, member, MOST]).await?;
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn by_token(db: &Db, token: [u8; 32], now: Timestamp) -> Result<Option<ConsoleSession>> {
    let found = db.fetch_optional::<Row>(System::Directory, BY_TOKEN, binds![token, now]).await?;
    let session = |row: Row| {
        let login = LoginId::from_uuid(row.login_id.unwrap_or_default());
        let expires_at = Timestamp::from_micros(row.expires_at);
        Ok(ConsoleSession { login, member: row.member.try_into()?, expires_at })
    };
    found.map(session).transpose()
}

pub(super) async fn end(db: &Db, token: [u8; 32]) -> Result<()> {
    let mut tx = db.begin(System::Directory).await?;
    tx.execute(END, binds![token]).await?;
    tx.commit().await
}

pub(super) async fn of_member(
    db: &Db,
    organization: OrganizationId,
    member: MemberId,
    now: Timestamp,
) -> Result<Vec<MemberLogin>> {
    let rows: Vec<(Uuid, i64, i64)> = db.fetch_all(organization, OF_MEMBER, binds![organization, member, now]).await?;
    let login = |(id, created_at, expires_at)| MemberLogin {
        id: LoginId::from_uuid(id),
        created_at: Timestamp::from_micros(created_at),
        expires_at: Timestamp::from_micros(expires_at),
    };
    Ok(rows.into_iter().map(login).collect())
}

/// Ends one login of a member, or all; how many there were.
pub(super) async fn end_of_member(
    db: &Db,
    organization: OrganizationId,
    member: MemberId,
    login: Option<LoginId>,
) -> Result<u64> {
    let mut tx = db.begin(organization).await?;
    let ended = match login {
        Some(login) => tx.execute(END_ONE, binds![organization, member, login]).await?,
        None => end_all(&mut tx, organization, member).await?,
    };
    if ended > 0 {
        commit_act(tx, organization).await?;
    }
    Ok(ended)
}

pub(super) async fn end_all(tx: &mut Tx, organization: OrganizationId, member: MemberId) -> Result<u64> {
    tx.execute(END_ALL, binds![organization, member]).await
}
