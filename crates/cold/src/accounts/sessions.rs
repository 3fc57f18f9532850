//! Stores the console logins of members by the hash of their session cookie.
//!
//! Never: more than [`LOGINS_PER_MEMBER_MAX`] logins of one member: the login that expires first is deleted, so the table is bounded without a sweep.
//! CSRF tokens are derived from the cookie and not stored.

use uuid::Uuid;
use voelgoed_app::accounts::ports::{ConsoleSession, MemberLogin, NewLogin};
use voelgoed_domain::ids::{LoginId, MemberId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use super::audit::commit_act;
use super::member_row::MemberRow;
use crate::db::{Db, DbResult, Sql, SystemRole, Tx, binds, row_struct, sql};

const LOGINS_PER_MEMBER_MAX: u32 = 20;

/// Inserts nothing where the member was disabled or got another password since the password was checked.
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
/// System role: the token identifies the organization.
const BY_TOKEN: Sql = sql(
    "sessions.by_token",
    "select m.organization_id, m.id, m.name, m.email, m.scopes, m.created_at, m.disabled_at, s.id as login_id, s.expires_at
     from console_sessions s join members m on m.organization_id = s.organization_id and m.id = s.member_id
     where s.token = $1 and s.expires_at > $2 and m.disabled_at is null",
);
/// System role: the token identifies the organization.
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

row_struct! {
    struct SessionRow {
        login_id: Option<Uuid>,
        expires_at: i64,
        ..member: MemberRow
    }
}

/// False where the member may no longer log in.
pub(super) async fn create(
    db: &Db,
    organization: OrganizationId,
    member: MemberId,
    session: &NewLogin,
) -> DbResult<bool> {
    let NewLogin { login, token, password_hash, created_at, expires_at } = session;
    let mut tx = db.begin(organization).await?;
    let values = binds![organization, member, *token, *login, *created_at, *expires_at, password_hash];
    if tx.execute(CREATE, values).await? == 0 {
        return Ok(false);
    }
    tx.execute(BOUND, binds![organization, member, LOGINS_PER_MEMBER_MAX]).await?;
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn by_token(db: &Db, token: [u8; 32], now: Timestamp) -> DbResult<Option<ConsoleSession>> {
    let found = db.fetch_optional::<SessionRow>(SystemRole::Directory, BY_TOKEN, binds![token, now]).await?;
    let session = |row: SessionRow| {
        let login = LoginId::from_uuid(row.login_id.unwrap_or_default());
        let expires_at = Timestamp::from_micros(row.expires_at);
        Ok(ConsoleSession { login, member: row.member.try_into()?, expires_at })
    };
    found.map(session).transpose()
}

pub(super) async fn end(db: &Db, token: [u8; 32]) -> DbResult<()> {
    let mut tx = db.begin(SystemRole::Directory).await?;
    tx.execute(END, binds![token]).await?;
    tx.commit().await
}

pub(super) async fn of_member(
    db: &Db,
    organization: OrganizationId,
    member: MemberId,
    now: Timestamp,
) -> DbResult<Vec<MemberLogin>> {
    let rows: Vec<(Uuid, i64, i64)> = db.fetch_all(organization, OF_MEMBER, binds![organization, member, now]).await?;
    let login = |(id, created_at, expires_at)| MemberLogin {
        id: LoginId::from_uuid(id),
        created_at: Timestamp::from_micros(created_at),
        expires_at: Timestamp::from_micros(expires_at),
    };
    Ok(rows.into_iter().map(login).collect())
}

/// Ends one login of a member, or all; returns how many.
pub(super) async fn end_of_member(
    db: &Db,
    organization: OrganizationId,
    member: MemberId,
    login: Option<LoginId>,
) -> DbResult<u64> {
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

pub(super) async fn end_all(tx: &mut Tx, organization: OrganizationId, member: MemberId) -> DbResult<u64> {
    tx.execute(END_ALL, binds![organization, member]).await
}
