//! A scanner's own calls: pairing, its offline package, and what it should know at once.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use utoipa::ToSchema;
use voelgoed_app::scanning::codes::signer;
use voelgoed_app::scanning::package::package as package_query;
use voelgoed_app::scanning::pair_device::pair_device;
use voelgoed_app::scanning::watch::GateSignal;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::ids::{DeviceId, EventId, TicketId};
use voelgoed_domain::scanning::code::TicketSigner;
use voelgoed_domain::time::Timestamp;

use super::gates::{GateDto, gate};
use super::login::guess_limited;
use super::sse::{beating, frame, sse};
use crate::extract::{Body, ClientAddress, DeviceCaller};
use crate::problem::{Answer, Problem};
use crate::state::Web;

/// What is typed into the scanner.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PairBody {
    code: String,
}

/// A paired device.
#[derive(Debug, Serialize, ToSchema)]
pub struct PairedDto {
    #[schema(value_type = String)]
    device: DeviceId,
    /// `vgd_…`, shown once.
    key: String,
    #[schema(value_type = String)]
    event: EventId,
    gates: Vec<GateDto>,
    public_keys: Vec<PublicKeyDto>,
}

/// Whose codes are believed.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicKeyDto {
    /// The number by which codes name it.
    id: u32,
    /// Ed25519, base64.
    key: String,
}

fn public_keys(signer: &TicketSigner) -> Vec<PublicKeyDto> {
    vec![PublicKeyDto { id: signer.id().0, key: STANDARD.encode(signer.public_key()) }]
}

/// Turns a pairing code into a key, once.
#[utoipa::path(post, path = "/api/v1/devices/pair", request_body = PairBody, tag = "scanning",
    responses((status = 200, body = PairedDto), (status = 410, body = Problem, description = "pairing_expired"), (status = 429, body = Problem)))]
pub async fn pair(State(web): State<Web>, address: ClientAddress, body: Body<PairBody>) -> Answer<Json<PairedDto>> {
    guess_limited(&web, address).await?;
    let paired = pair_device(&web.platform, &body.value.code).await?;
    web.platform.credentials.forget_all();
    let signer = signer(&web.platform.master, paired.device.organization);
    Ok(Json(PairedDto {
        device: paired.device.id,
        key: paired.key,
        event: paired.device.event,
        gates: paired.gates.iter().map(gate).collect(),
        public_keys: public_keys(&signer),
    }))
}

/// What a scanner needs to go on without a network.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackageDto {
    #[schema(value_type = String)]
    event: EventId,
    name: String,
    #[schema(value_type = String, format = DateTime)]
    valid_from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    valid_until: Timestamp,
    gates: Vec<GateDto>,
    public_keys: Vec<PublicKeyDto>,
    #[schema(value_type = Vec<String>)]
    revoked: Vec<TicketId>,
    #[schema(value_type = Vec<String>)]
    admitted: Vec<TicketId>,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
}

/// The offline package: keys, gates, times, revoked and admitted tickets.
#[utoipa::path(get, path = "/api/v1/devices/me/package", tag = "scanning",
    responses((status = 200, body = PackageDto), (status = 401, body = Problem)))]
pub async fn package(State(web): State<Web>, DeviceCaller(device): DeviceCaller) -> Answer<Json<PackageDto>> {
    let found = package_query(&web.platform, &device).await?;
    Ok(Json(PackageDto {
        event: found.event.id,
        name: found.event.name,
        valid_from: found.validity.0,
        valid_until: found.validity.1,
        gates: found.gates.iter().map(gate).collect(),
        public_keys: public_keys(&found.signer),
        revoked: found.revoked,
        admitted: found.admitted,
        now: found.now,
    }))
}

/// Server-sent events: `admitted` and `revoked` with tickets; `package` means that the package must be fetched anew.
#[utoipa::path(get, path = "/api/v1/devices/me/stream", tag = "scanning",
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 401, body = Problem)))]
pub async fn stream(State(web): State<Web>, DeviceCaller(device): DeviceCaller) -> Answer<Response> {
    let scope = EventScope { organization: device.organization, event: device.event };
    let signals = web.gate_watch.subscribe();
    let frames = stream::unfold(signals, move |mut signals| async move {
        loop {
            let (event, tickets) = match signals.recv().await {
                Ok((of, GateSignal::Admitted(ticket))) if of == Some(scope) => ("admitted", vec![ticket]),
                Ok((of, GateSignal::Revoked(tickets))) if of == Some(scope) => ("revoked", tickets),
                Ok((_, GateSignal::Missed)) | Err(RecvError::Lagged(_)) => ("package", Vec::new()),
                Ok(_) => continue,
                Err(RecvError::Closed) => return None,
            };
            let json = serde_json::json!({ "tickets": tickets }).to_string();
            return Some((frame(event, &json), signals));
        }
    });
    Ok(sse(beating(frames), web.stopping.clone()))
}
