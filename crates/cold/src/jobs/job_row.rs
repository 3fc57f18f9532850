//! Converts the stored row of a job for runners, which need a valid row, and for operators, who see an invalid row as it is.

use serde_json::Value;
use uuid::Uuid;
use voelgoed_app::jobs::ports::LeasedJob;
use voelgoed_domain::ids::{JobId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::db::{DbResult, row_struct};

/// The columns of [`JobRow`].
macro_rules! job_columns {
    () => {
        "id, organization_id, kind, payload, attempt, max_attempts, run_at, last_error"
    };
}
pub(super) use job_columns;

row_struct! {
    pub(super) struct JobRow {
        pub(super) id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) kind: String,
        pub(super) payload: String,
        pub(super) attempt: i64,
        pub(super) max_attempts: i64,
        pub(super) run_at: i64,
        pub(super) last_error: Option<String>,
    }
}

/// The stored organization; nil for jobs of the platform itself.
pub(super) fn stored_organization(organization: Option<OrganizationId>) -> Uuid {
    organization.map_or(Uuid::nil(), OrganizationId::uuid)
}

impl JobRow {
    /// For operators: an invalid payload is shown as text.
    pub(super) fn into_listed(self, lease: Uuid) -> LeasedJob {
        let payload = serde_json::from_str(&self.payload).unwrap_or_else(|_| Value::String(self.payload.clone()));
        LeasedJob {
            id: JobId::from_uuid(self.id),
            organization: (!self.organization_id.is_nil()).then(|| OrganizationId::from_uuid(self.organization_id)),
            kind: self.kind,
            payload,
            attempt: u32::try_from(self.attempt).unwrap_or(u32::MAX),
            max_attempts: u32::try_from(self.max_attempts).unwrap_or(u32::MAX),
            run_at: Timestamp::from_micros(self.run_at),
            last_error: self.last_error,
            lease,
        }
    }

    pub(super) fn into_leased(self, lease: Uuid) -> DbResult<LeasedJob> {
        Ok(LeasedJob {
            id: JobId::from_uuid(self.id),
            organization: (!self.organization_id.is_nil()).then(|| OrganizationId::from_uuid(self.organization_id)),
            kind: self.kind,
            payload: serde_json::from_str::<Value>(&self.payload)?,
            attempt: u32::try_from(self.attempt)?,
            max_attempts: u32::try_from(self.max_attempts)?,
            run_at: Timestamp::from_micros(self.run_at),
            last_error: self.last_error,
            lease,
        })
    }
}
