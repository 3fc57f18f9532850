//! Gates and devices, as organizers set them up.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use voelgoed_app::accounts::credentials::RevokedCredential;
use voelgoed_app::scanning::create_device::{NewDevice, create_device as create_device_command};
use voelgoed_app::scanning::create_gate::create_gate as create_gate_command;
use voelgoed_app::scanning::ports::{Device, Gate};
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{AreaId, DeviceId, EventId, GateId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::created::{created, idempotent, or_replayed};
use super::paging::ListDto;
use crate::extract::{Body, OptionalKey, Organizer, Params, PathId};
use crate::problem::{Answer, Problem};
use crate::rendered::json;
use crate::state::Web;

/// A gate to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GateBody {
    #[schema(value_type = String)]
    event: EventId,
    name: String,
    /// The areas it leads to; empty means all.
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

/// A gate, rendered.
pub fn gate(found: &Gate) -> GateDto {
    GateDto { id: found.id, event: found.event, name: found.name.clone(), areas: found.areas.clone() }
}

/// Of which event.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfEvent {
    #[param(value_type = String)]
    event: EventId,
}

/// Adds a gate to an event.
#[utoipa::path(post, path = "/api/v1/gates", request_body = GateBody, tag = "scanning",
    responses((status = 201, body = GateDto), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn create_gate(
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    body: Body<GateBody>,
) -> Answer<Response> {
    caller.may(Scope::Scanning)?;
    let scope = caller.event(&web, body.value.event).await?;
    let show = |found: &Gate| json(&gate(found));
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let command = create_gate_command(&web.platform, scope, &body.value.name, body.value.areas, repeat);
    let outcome = caller.act(&web, "gate.create", "", command).await;
    let outcome = or_replayed(&web, caller.organization, key.as_ref(), outcome).await?;
    web.platform.credentials.changed(caller.organization);
    Ok(created(outcome, show))
}

/// An event's gates.
#[utoipa::path(get, path = "/api/v1/gates", params(OfEvent), tag = "scanning",
    responses((status = 200, body = ListDto<GateDto>), (status = 404, body = Problem)))]
pub async fn list_gates(
    State(web): State<Web>,
    caller: Organizer,
    Params(of): Params<OfEvent>,
) -> Answer<Json<ListDto<GateDto>>> {
    caller.may(Scope::Scanning)?;
    let scope = caller.event(&web, of.event).await?;
    let found = web.platform.scans.gates(scope.organization, scope.event).await?;
    Ok(Json(ListDto::whole(found.iter().map(gate).collect())))
}

/// A device to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceBody {
    name: String,
    #[schema(value_type = String)]
    event: EventId,
    /// Where it may scan.
    #[schema(value_type = Vec<String>)]
    gates: Vec<GateId>,
}

/// A device; its pairing code is shown once, when it is made.
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
    /// What is typed into the scanner, once.
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

/// Adds a scanner; it gets its key by the one-time pairing code.
#[utoipa::path(post, path = "/api/v1/devices", request_body = DeviceBody, tag = "scanning",
    responses((status = 201, body = DeviceDto), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn create_device(
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    body: Body<DeviceBody>,
) -> Answer<Response> {
    caller.may(Scope::Scanning)?;
    let scope = caller.event(&web, body.value.event).await?;
    let show = |new: &NewDevice| json(&device(&new.device, Some(new)));
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let DeviceBody { name, gates, .. } = body.value;
    let command = create_device_command(&web.platform, scope, &caller.scopes, &name, gates, repeat);
    let outcome = caller.act(&web, "device.create", "", command).await;
    let outcome = or_replayed(&web, caller.organization, key.as_ref(), outcome).await?;
    Ok(created(outcome, show))
}

/// An event's devices.
#[utoipa::path(get, path = "/api/v1/devices", params(OfEvent), tag = "scanning",
    responses((status = 200, body = ListDto<DeviceDto>), (status = 404, body = Problem)))]
pub async fn list_devices(
    State(web): State<Web>,
    caller: Organizer,
    Params(of): Params<OfEvent>,
) -> Answer<Json<ListDto<DeviceDto>>> {
    caller.may(Scope::Scanning)?;
    let scope = caller.event(&web, of.event).await?;
    let found = web.platform.scans.devices(scope.organization, scope.event).await?;
    Ok(Json(ListDto::whole(found.iter().map(|found| device(found, None)).collect())))
}

/// Revokes a device: its key is refused from now on.
#[utoipa::path(delete, path = "/api/v1/devices/{device}", params(("device" = String, Path)), tag = "scanning",
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn revoke_device(
    State(web): State<Web>,
    caller: Organizer,
    PathId(id): PathId<DeviceId>,
) -> Answer<StatusCode> {
    caller.may(Scope::Scanning)?;
    let command = web.platform.scans.revoke_device(caller.organization, id, web.platform.environment.now());
    if !caller.act(&web, "device.revoke", id, command).await? {
        return Err(Refusal::not_found().into());
    }
    web.platform.credentials.revoked(caller.organization, &RevokedCredential::Device(id));
    web.gate_watch.gone(id);
    Ok(StatusCode::NO_CONTENT)
}
