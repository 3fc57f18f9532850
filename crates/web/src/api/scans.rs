//! Decides scans at the gate one at a time, and lists scans and conflicts for the organizer (P3, P6).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;
use voelgoed_app::scanning::Scanning;
use voelgoed_app::scanning::decide_scan::ScanOutcome;
use voelgoed_app::scanning::ports::{FirstEntry, Scan, ScanResult};
use voelgoed_app::scanning::scan::ScanCommand;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{DeviceId, EventId, GateId, ScanId, TicketId};
use voelgoed_domain::scanning::entry::{Direction, ScanReason};
use voelgoed_domain::scanning::scan_time::DeviceClock;
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::Capability;

use super::paging::{ListDto, ListParams};
use crate::extract::{DeviceCaller, JsonBody, Organizer, QueryParams};
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, BodyRules, Class, Proof, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(list), Access::Organizer(Scope::Scanning), Scanning::NAME).class(Class::Report),
        api(routes!(conflicts), Access::Organizer(Scope::Scanning), Scanning::NAME),
        api(routes!(create), Access::Device, Scanning::NAME)
            .critical_with(Proof::Device)
            .requires(Capability::Scan)
            .body(BodyRules::ScannedText),
    ]
}

/// A scan as a device sends it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanBody {
    /// A UUID that the device generates; a repeat with it gets the same answer.
    pub id: Uuid,
    /// The scanned text.
    pub code: String,
    /// The gate.
    #[schema(value_type = String)]
    pub gate: GateId,
    /// `entry` or `exit`.
    #[serde(default = "entry")]
    #[schema(value_type = String)]
    pub direction: Direction,
    /// The device's clock.
    #[schema(value_type = String, format = DateTime)]
    pub scanned_at: Timestamp,
    /// The device had already let the person in.
    #[serde(default)]
    pub forced: bool,
}

const fn entry() -> Direction {
    Direction::Entry
}

/// The result of a scan.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScanDto {
    id: Uuid,
    /// `admitted` or `refused`.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reason: Option<ScanReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<ScannedTicketDto>,
    /// The entry that came before.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<FirstDto>,
    /// From when the ticket admits, where the scan was too early or too late.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Until when the ticket admits, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// `plausible`; `implausible` where the device's clock cannot be right, so that the server's receipt counts.
    #[schema(value_type = String)]
    clock: DeviceClock,
    /// True where the scan admitted although the ticket had entered already.
    conflict: bool,
    /// False: keep your copy and send it again.
    durable: bool,
    /// True: decided while a part of the platform was unavailable.
    degraded: bool,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
}

/// The ticket that was scanned.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScannedTicketDto {
    #[schema(value_type = String)]
    id: TicketId,
    label: Option<String>,
    ticket_type_name: Option<String>,
}

/// The entry that came before.
#[derive(Debug, Serialize, ToSchema)]
pub struct FirstDto {
    #[schema(value_type = String)]
    gate: GateId,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<FirstEntry> for FirstDto {
    fn from(first: FirstEntry) -> Self {
        Self { gate: first.gate, at: first.at }
    }
}

pub(super) fn outcome(result: ScanResult) -> (&'static str, Option<ScanReason>) {
    match result {
        ScanResult::Admitted => ("admitted", None),
        ScanResult::Refused(reason) => ("refused", Some(reason)),
    }
}

pub(super) fn answer(scanned: ScanOutcome, now: Timestamp) -> ScanDto {
    let ScanOutcome { scan, durable, degraded, repeated: _ } = scanned;
    let (result, reason) = outcome(scan.result);
    let ticket =
        scan.ticket.map(|id| ScannedTicketDto { id, label: scan.label, ticket_type_name: scan.ticket_type_name });
    ScanDto {
        id: scan.id.uuid(),
        result,
        reason,
        ticket,
        first: scan.first.map(Into::into),
        from: scan.window.map(|window| window.from),
        until: scan.window.map(|window| window.until),
        clock: scan.clock,
        conflict: scan.conflict,
        durable,
        degraded,
        now,
    }
}

pub(super) fn command(body: ScanBody) -> ScanCommand {
    ScanCommand {
        id: ScanId::from_uuid(body.id),
        code: body.code,
        gate: body.gate,
        direction: body.direction,
        scanned_at: Some(body.scanned_at),
        forced: body.forced,
    }
}

/// Decides a scan at the gate; `durable` says whether it is written, else the device keeps its copy and sends it again.
#[utoipa::path(post, path = "/api/v1/scans", request_body = ScanBody, tag = "scanning",
    responses((status = 200, body = ScanDto), (status = 400, body = Problem), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn create(
    State(scanning): State<Arc<Scanning>>,
    DeviceCaller { device, .. }: DeviceCaller,
    body: JsonBody<ScanBody>,
) -> HandlerResult<Json<ScanDto>> {
    let scanned = scanning.scan(&device, command(body.value)).await?;
    Ok(Json(answer(scanned, scanning.context.now())))
}

/// A scan in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedScanDto {
    id: Uuid,
    #[schema(value_type = Option<String>)]
    ticket: Option<TicketId>,
    label: Option<String>,
    #[schema(value_type = String)]
    gate: GateId,
    #[schema(value_type = String)]
    device: DeviceId,
    #[schema(value_type = String)]
    direction: Direction,
    result: &'static str,
    #[schema(value_type = Option<String>)]
    reason: Option<ScanReason>,
    first: Option<FirstDto>,
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    conflict: bool,
    forced: bool,
    /// `plausible` or `implausible`: whether the device's clock was believed.
    #[schema(value_type = String)]
    clock: DeviceClock,
    #[schema(value_type = String, format = DateTime)]
    scanned_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
}

fn listed(scan: Scan) -> ListedScanDto {
    let (result, reason) = outcome(scan.result);
    ListedScanDto {
        id: scan.id.uuid(),
        ticket: scan.ticket,
        label: scan.label,
        gate: scan.gate,
        device: scan.device,
        direction: scan.direction,
        result,
        reason,
        first: scan.first.map(Into::into),
        from: scan.window.map(|window| window.from),
        until: scan.window.map(|window| window.until),
        conflict: scan.conflict,
        forced: scan.forced,
        clock: scan.clock,
        scanned_at: scan.scanned_at,
        received_at: scan.received_at,
    }
}

/// The requested scans.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ScansParams {
    /// Of this event.
    #[param(value_type = String)]
    event: EventId,
    /// The cursor that the page before had as `next`.
    #[param(value_type = Option<String>)]
    after: Option<Uuid>,
    /// How many items, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

async fn list_scans(
    scanning: &Scanning,
    caller: &Organizer,
    params: ScansParams,
    conflicts_only: bool,
) -> HandlerResult<Json<ListDto<ListedScanDto>>> {
    let scope = caller.event(params.event).await?;
    let page = ListParams { after: params.after, limit: params.limit }.page()?;
    let scans = scanning.store.scans(scope.organization, scope.event, conflicts_only, page).await?;
    Ok(Json(ListDto::of(scans, listed)))
}

/// An event's scans.
#[utoipa::path(get, path = "/api/v1/scans", params(ScansParams), tag = "scanning",
    responses((status = 200, body = ListDto<ListedScanDto>), (status = 404, body = Problem)))]
pub async fn list(
    State(scanning): State<Arc<Scanning>>,
    caller: Organizer,
    QueryParams(params): QueryParams<ScansParams>,
) -> HandlerResult<Json<ListDto<ListedScanDto>>> {
    list_scans(&scanning, &caller, params, false).await
}

/// An event's scans in which two people entered with one ticket.
#[utoipa::path(get, path = "/api/v1/conflicts", params(ScansParams), tag = "scanning",
    responses((status = 200, body = ListDto<ListedScanDto>), (status = 404, body = Problem)))]
pub async fn conflicts(
    State(scanning): State<Arc<Scanning>>,
    caller: Organizer,
    QueryParams(params): QueryParams<ScansParams>,
) -> HandlerResult<Json<ListDto<ListedScanDto>>> {
    list_scans(&scanning, &caller, params, true).await
}
