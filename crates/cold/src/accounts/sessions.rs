//! Logins of the console: a hashed cookie, the token that writes must carry, an end.
//!
//! Never: more than [`MOST`] logins of one member; the one that ends first gives way, so the table has a bound without a sweep.

use voelgoed_app::accounts::ports::ConsoleSession;
use voelgoed_domain::ids::{MemberId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use super::members;
use crate::db::{Db, Result, Sql, System, binds, sql};

/// Logins of one member at once.
const MOST: u32 = 20;

const CREATE: Sql = sql(
    "sessions.create",
    "insert into console_sessions (organization_id, token, member_id, csrf, expires_at) values ($1, $2, $3, $4, $5)",
);
const BOUND: Sql = sql(
    "sessions.bound",
    "delete from console_sessions where organization_id = $1 and token in
     (select token from console_sessions where organization_id = $1 and member_id = $2 order by expires_at desc, token limit 1000000 offset $3)",
);
/// System role: the token tells the tenant.
const BY_TOKEN: Sql = sql(
    "sessions.by_token",
    "select m.organization_id, m.id, m.name, m.email, m.scopes, m.created_at, s.csrf, s.expires_at
     from console_sessions s join members m on m.organization_id = s.organization_id and m.id = s.member_id
     where s.token = $1 and s.expires_at > $2",
);
/// System role: the token tells the tenant.
const END: Sql = sql("sessions.end", "delete from console_sessions where token = $1");

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    member: members::Row,
    csrf: String,
    expires_at: i64,
}

pub(super) async fn create(
    db: &Db,
    organization: OrganizationId,
    member: MemberId,
    token: [u8; 32],
    csrf: &str,
    expires_at: Timestamp,
) -> Result<()> {
    let mut tx = db.begin(organization).await?;
    tx.execute(CREATE, binds![organization, token, member, csrf, expires_at]).await?;
    tx.execute(BOUND, binds![organization, member, MOST]).await?;
    tx.commit().await
}

pub(super) async fn by_token(db: &Db, token: [u8; 32], now: Timestamp) -> Result<Option<ConsoleSession>> {
    let found = db.fetch_optional::<Row>(System::Directory, BY_TOKEN, binds![token, now]).await?;
    let session = |row: Row| {
        let expires_at = Timestamp::from_micros(row.expires_at);
        Ok(ConsoleSession { member: row.member.try_into()?, csrf: row.csrf, expires_at })
    };
    found.map(session).transpose()
}

pub(super) async fn end(db: &Db, token: [u8; 32]) -> Result<()> {
    let mut tx = db.begin(System::Directory).await?;
    tx.execute(END, binds![token]).await?;
    tx.commit().await
}
