//! Decodes a row of `members`, without its password hash, into a [`Member`].

use uuid::Uuid;
use voelgoed_app::accounts::ports::Member;
use voelgoed_domain::ids::{MemberId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::db::{DbError, DbResult, row_struct};

row_struct! {
    pub(super) struct MemberRow {
        organization_id: Uuid,
        pub(super) id: Uuid,
        name: String,
        email: String,
        scopes: String,
        created_at: i64,
        disabled_at: Option<i64>,
    }
}

impl TryFrom<MemberRow> for Member {
    type Error = DbError;

    fn try_from(row: MemberRow) -> DbResult<Self> {
        Ok(Self {
            id: MemberId::from_uuid(row.id),
            organization: OrganizationId::from_uuid(row.organization_id),
            name: row.name,
            email: row.email,
            scopes: serde_json::from_str(&row.scopes)?,
            created_at: Timestamp::from_micros(row.created_at),
            disabled_at: row.disabled_at.map(Timestamp::from_micros),
        })
    }
}
