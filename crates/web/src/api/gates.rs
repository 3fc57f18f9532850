//! Lets organizers create and list gates and devices, and revoke devices.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use voelgoed_app::accounts::Accounts;
use voelgoed_app::accounts::credentials::RevokedCredential;
use voelgoed_app::scanning::Scanning;
use voelgoed_app::scanning::create_device::NewDevice;
use voelgoed_app::scanning::ports::{Device, Gate};
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{AreaId, DeviceId, EventId, GateId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::idempotent_response::{created_response, idempotent};
use super::paging::ListDto;
use crate::extract::{JsonBody, OptionalKey, Organizer, PathId, QueryParams};
use crate::json_bytes::json;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Class, Proof, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(create_gate), Access::Organizer(Scope::Scanning), Scanning::NAME),
        api(routes!(list_gates), Access::Organizer(Scope::Scanning), Scanning::NAME),
        api(routes!(create_device), Access::Organizer(Scope::Scanning), Scanning::NAME).critical_with(Proof::Organizer),
        api(routes!(list_devices), Access::Organizer(Scope::Scanning), Scanning::NAME).class(Class::Hold),
        api(routes!(revoke_device), Access::Organizer(Scope::Scanning), Scanning::NAME).critical_with(Proof::Organizer),
    ]
}

/// A gate to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GateBody {
    #[schema(value_type = String)]
    event: EventId,
    name: String,
    /// The areas that the gate leads to; empty means all.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    areas: Vec<AreaId>,
}

/// A gate.
#[derive(Debug, Serialize, ToSchema)]
pub struct GateDto {
    #[schema(value_type = String)]
    id: GateId,
    #[schema(value_type = String)]
    event: EventId,
    name: String,
    #[schema(value_type = Vec<String>)]
    areas: Vec<AreaId>,
}

/// Renders a gate.
pub fn gate(found: &Gate) -> GateDto {
    GateDto { id: found.id, event: found.event, name: found.name.clone(), areas: found.areas.clone() }
}

/// The event whose gates or devices are requested.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventParams {
    #[param(value_type = String)]
    event: EventId,
}

/// Adds a gate to an event.
#[utoipa::path(post, path = "/api/v1/gates", request_body = GateBody, tag = "scanning",
    responses((status = 201, body = GateDto), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn create_gate(
    State(scanning): State<Arc<Scanning>>,
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    key: OptionalKey,
    body: JsonBody<GateBody>,
) -> HandlerResult<Response> {
    let scope = caller.event(body.value.event).await?;
    let show = |found: &Gate| json(&gate(found));
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let command = scanning.create_gate(scope, &body.value.name, body.value.areas, repeat);
    let outcome = caller.act("gate.create", "", command).await;
    let outcome = caller.outcome_or_replay(key.as_ref(), outcome).await?;
    accounts.credentials.revalidate(caller.organization);
    Ok(created_response(outcome, show))
}

/// An event's gates.
#[utoipa::path(get, path = "/api/v1/gates", params(EventParams), tag = "scanning",
    responses((status = 200, body = ListDto<GateDto>), (status = 404, body = Problem)))]
pub async fn list_gates(
    State(scanning): State<Arc<Scanning>>,
    caller: Organizer,
    QueryParams(params): QueryParams<EventParams>,
) -> HandlerResult<Json<ListDto<GateDto>>> {
    let scope = caller.event(params.event).await?;
    let found = scanning.store.gates(scope.organization, scope.event).await?;
    Ok(Json(ListDto::whole(found.iter().map(gate).collect())))
}

/// A device to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceBody {
    name: String,
    #[schema(value_type = String)]
    event: EventId,
    /// The gates at which it scans.
    #[schema(value_type = Vec<String>)]
    gates: Vec<GateId>,
}

/// A device; its pairing code is shown once, when the device is created.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceDto {
    #[schema(value_type = String)]
    id: DeviceId,
    #[schema(value_type = String)]
    event: EventId,
    name: String,
    #[schema(value_type = Vec<String>)]
    gates: Vec<GateId>,
    #[schema(value_type = Option<String>, format = DateTime)]
    paired_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// The code that a person types into the scanner, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pairing_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pairing_ends: Option<Timestamp>,
}

fn device(found: &Device, new: Option<&NewDevice>) -> DeviceDto {
    DeviceDto {
        id: found.id,
        event: found.event,
        name: found.name.clone(),
        gates: found.gates.clone(),
        paired_at: found.paired_at,
        revoked_at: found.revoked_at,
        pairing_code: new.map(|new| new.pairing_code.clone()),
        pairing_ends: new.map(|new| new.pairing_ends),
    }
}

/// Adds a scanner, which gets its key by the one-time pairing code.
#[utoipa::path(post, path = "/api/v1/devices", request_body = DeviceBody, tag = "scanning",
    responses((status = 201, body = DeviceDto), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn create_device(
    State(scanning): State<Arc<Scanning>>,
    caller: Organizer,
    key: OptionalKey,
    body: JsonBody<DeviceBody>,
) -> HandlerResult<Response> {
    let scope = caller.event(body.value.event).await?;
    let show = |new: &NewDevice| json(&device(&new.device, Some(new)));
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let DeviceBody { name, gates, .. } = body.value;
    let command = scanning.create_device(scope, &caller.scopes, &name, gates, repeat);
    let outcome = caller.act("device.create", "", command).await;
    let outcome = caller.outcome_or_replay(key.as_ref(), outcome).await?;
    Ok(created_response(outcome, show))
}

/// An event's devices.
#[utoipa::path(get, path = "/api/v1/devices", params(EventParams), tag = "scanning",
    responses((status = 200, body = ListDto<DeviceDto>), (status = 404, body = Problem)))]
pub async fn list_devices(
    State(scanning): State<Arc<Scanning>>,
    caller: Organizer,
    QueryParams(params): QueryParams<EventParams>,
) -> HandlerResult<Json<ListDto<DeviceDto>>> {
    let scope = caller.event(params.event).await?;
    let found = scanning.store.devices(scope.organization, scope.event).await?;
    Ok(Json(ListDto::whole(found.iter().map(|found| device(found, None)).collect())))
}

/// Revokes a device: its key is refused from now on.
#[utoipa::path(delete, path = "/api/v1/devices/{device}", params(("device" = String, Path)), tag = "scanning",
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn revoke_device(
    State(scanning): State<Arc<Scanning>>,
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    PathId(id): PathId<DeviceId>,
) -> HandlerResult<StatusCode> {
    let command = scanning.store.revoke_device(caller.organization, id, scanning.context.now());
    if !caller.act("device.revoke", id, command).await? {
        return Err(Refusal::not_found().into());
    }
    accounts.credentials.revoke(caller.organization, &RevokedCredential::Device(id));
    scanning.gate_watch.device_revoked(id);
    Ok(StatusCode::NO_CONTENT)
}
