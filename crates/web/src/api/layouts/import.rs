//! Imports a seating plan from the formats that organizers have.

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;
use voelgoed_app::catalog::Catalog;
use voelgoed_app::catalog::ports::StoredLayout;
use voelgoed_app::environment::new_id;
use voelgoed_app::error::CommandError;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::import::{ImportFormat, ImportedPlan, read as read_plan, refusal_with_finding};
use voelgoed_domain::ids::VenueId;

use super::dto::{LayoutDto, layout};
use crate::api::idempotent_response::{created_response, idempotent};
use crate::extract::{OptionalKey, Organizer, QueryParams, RequestIdentity, only_file, read_body};
use crate::json_bytes::json;
use crate::problem::{FindingDto, HandlerResult, Problem};
use crate::routes::{Access, BodyRules, Class, Route, api};
use crate::state::Web;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(import), Access::Organizer(Scope::Catalog), Catalog::NAME)
            .class(Class::Report)
            .body(BodyRules::Layout),
    ]
}

/// The venue and the format of the file.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportParams {
    #[param(value_type = String)]
    venue: VenueId,
    /// `pretix` (its seating-plan JSON) or `csv` (columns `area,row,seat,category` and optionally `x,y,flags,row_label,seat_label,capacity`).
    /// Where absent, the content decides.
    format: Option<String>,
}

/// Imports a seating plan: the file itself, or a form with exactly one file. The answer names what was left out, assumed or changed; a refusal names everything that is wrong.
#[utoipa::path(post, path = "/api/v1/layouts/import", params(ImportParams), tag = "catalog",
    request_body(content((String = "text/csv"), (String = "application/json"))),
    responses((status = 201, body = LayoutDto), (status = 400, body = Problem, description = "invalid_layout"), (status = 404, body = Problem)))]
pub async fn import(
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    QueryParams(params): QueryParams<ImportParams>,
    request: Request,
) -> HandlerResult<Response> {
    let format = params.format.as_deref().map(ImportFormat::parse).transpose()?;
    let identity = RequestIdentity::of(&request);
    let content_type =
        request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    let body = read_body(request, &web).await?;
    let file = only_file(content_type.as_deref(), &body)?;
    // The digest of the file alone: a form has another boundary in each repeat.
    let key = key.of(&caller.actor, identity.digest(file));
    let ImportedPlan { areas, findings } =
        read_plan(format.unwrap_or_else(|| ImportFormat::detect(file)), file, || {
            new_id(&*web.slices.context.environment)
        })?;
    let findings: Vec<FindingDto> = findings.into_iter().map(FindingDto::from).collect();
    let show = |stored: &StoredLayout| json(&layout(stored).with_findings(findings.clone()));
    let repeat = idempotent(key.clone(), &show);
    let command = web.slices.catalog.create_layout(caller.organization, params.venue, areas, repeat);
    let outcome = caller.act("layout.import", params.venue, command).await;
    let outcome = outcome.map_err(|error| match error {
        CommandError::Refused(refusal) => CommandError::Refused(refusal_with_finding(refusal)),
        fault => fault,
    });
    let outcome = caller.outcome_or_replay(key.as_ref(), outcome).await?;
    Ok(created_response(outcome, show))
}
