//! Lists the audit log of an organization: who did what, and when.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use voelgoed_app::accounts::Accounts;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::time::Timestamp;

use super::paging::{ListDto, ListParams};
use crate::extract::{Organizer, QueryParams};
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Class, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![api(routes!(list), Access::Organizer(Scope::Admin), Accounts::NAME).class(Class::Report)]
}

/// A line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLineDto {
    /// `key_…` or `mem_…`.
    actor: String,
    /// `event.publish`, …
    action: String,
    /// The identifier of what was changed.
    subject: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// The audit log, oldest first.
#[utoipa::path(get, path = "/api/v1/audit", params(ListParams), tag = "accounts",
    responses((status = 200, body = ListDto<AuditLineDto>), (status = 403, body = Problem)))]
pub async fn list(
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    QueryParams(params): QueryParams<ListParams>,
) -> HandlerResult<Json<ListDto<AuditLineDto>>> {
    let found = accounts.store.audit_lines(caller.organization, params.page()?).await?;
    Ok(Json(ListDto::of(found, |line| AuditLineDto {
        actor: line.actor,
        action: line.action,
        subject: line.subject,
        at: line.at,
    })))
}
