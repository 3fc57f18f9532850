//! Who did what.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::time::Timestamp;

use super::paging::{ListDto, ListParams};
use crate::extract::{Organizer, Params};
use crate::problem::{Answer, Problem};
use crate::state::Web;

/// A line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLineDto {
    /// `key_…` or `mem_…`.
    actor: String,
    /// `event.publish`, …
    action: String,
    /// What it was done to.
    subject: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// The audit log, oldest first.
#[utoipa::path(get, path = "/api/v1/audit", params(ListParams), tag = "accounts",
    responses((status = 200, body = ListDto<AuditLineDto>), (status = 403, body = Problem)))]
pub async fn list(
    State(web): State<Web>,
    caller: Organizer,
    Params(params): Params<ListParams>,
) -> Answer<Json<ListDto<AuditLineDto>>> {
    caller.may(Scope::Admin)?;
    let found = web.platform.accounts.audit_lines(caller.organization, params.page()?).await?;
    Ok(Json(ListDto::of(found, |line| AuditLineDto {
        actor: line.actor,
        action: line.action,
        subject: line.subject,
        at: line.at,
    })))
}
