//! Shows an event's funnel by the minute: views, holds, orders, payments, admissions.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use voelgoed_app::analytics::Analytics;
use voelgoed_app::analytics::ports::FunnelMinute;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::time::Timestamp;

use crate::extract::{Organizer, PathId, QueryParams};
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Class, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![api(routes!(funnel), Access::Organizer(Scope::Reports), Analytics::NAME).class(Class::Report)]
}

/// The requested span: at most 24 hours.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FunnelParams {
    /// From the minute of this moment on; 24 hours before the end where absent.
    #[param(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// Until before this moment; now where absent.
    #[param(value_type = Option<String>, format = DateTime)]
    pub to: Option<Timestamp>,
}

/// The steps of a sale, by the minute. Views and holds arrive within seconds, and a few may be missing where a node crashed.
#[derive(Debug, Serialize, ToSchema)]
pub struct FunnelDto {
    /// The sums of the span.
    total: StepsDto,
    /// The minutes in which anything happened, in order.
    minutes: Vec<MinuteDto>,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
}

/// One minute.
#[derive(Debug, Serialize, ToSchema)]
pub struct MinuteDto {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[serde(flatten)]
    steps: StepsDto,
}

/// How often each step was taken.
#[derive(Debug, Default, Clone, Copy, Serialize, ToSchema)]
pub struct StepsDto {
    /// Views of the event.
    viewed: u64,
    /// Holds that were granted; a repeated request once at most.
    held: u64,
    /// Holds that were refused.
    refused: u64,
    /// Orders that were placed.
    ordered: u64,
    /// Orders that were paid.
    paid: u64,
    /// First admissions of tickets.
    admitted: u64,
}

impl From<FunnelMinute> for StepsDto {
    fn from(FunnelMinute { viewed, held, refused, ordered, paid, admitted, .. }: FunnelMinute) -> Self {
        Self { viewed, held, refused, ordered, paid, admitted }
    }
}

impl StepsDto {
    const fn plus(self, other: Self) -> Self {
        Self {
            viewed: self.viewed + other.viewed,
            held: self.held + other.held,
            refused: self.refused + other.refused,
            ordered: self.ordered + other.ordered,
            paid: self.paid + other.paid,
            admitted: self.admitted + other.admitted,
        }
    }
}

/// An event's funnel.
#[utoipa::path(get, path = "/api/v1/events/{event}/funnel", params(("event" = String, Path), FunnelParams), tag = "analytics",
    responses((status = 200, body = FunnelDto), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn funnel(
    State(analytics): State<Arc<Analytics>>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
    QueryParams(params): QueryParams<FunnelParams>,
) -> HandlerResult<Json<FunnelDto>> {
    let scope = caller.event(event).await?;
    let found = analytics.funnel(scope, params.from, params.to).await?;
    let minutes: Vec<_> = found.into_iter().map(|minute| MinuteDto { at: minute.at, steps: minute.into() }).collect();
    let total = minutes.iter().fold(StepsDto::default(), |sum, minute| sum.plus(minute.steps));
    Ok(Json(FunnelDto { total, minutes, now: analytics.context.now() }))
}
