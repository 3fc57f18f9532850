//! A scanner's own calls: pairing, its offline package, and what it should know at once.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, Interval, interval_at};
use utoipa::{IntoParams, ToSchema};
use voelgoed_app::error::Error;
use voelgoed_app::scanning::codes::signer;
use voelgoed_app::scanning::package::{TypeWindow, package as package_query};
use voelgoed_app::scanning::pair_device::pair_device;
use voelgoed_app::scanning::watch::GateSignal;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::ids::{DeviceId, EventId, TicketId, TicketTypeId};
use voelgoed_domain::scanning::code::TicketSigner;
use voelgoed_domain::scanning::entry::EntryRule;
use voelgoed_domain::time::Timestamp;

use super::gates::{GateDto, gate};
use super::sse::{beating, frame, sse};
use crate::extract::{Body, ClientAddress, DeviceCaller, OptionalKey, Params};
use crate::problem::{Answer, Problem};
use crate::rates::refusal;
use crate::state::Web;
use crate::streams::StreamOf;

/// A listening device's key is looked at again this often.
const LOOK_EVERY: Duration = Duration::from_secs(15);

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
pub async fn pair(
    State(web): State<Web>,
    ClientAddress(address): ClientAddress,
    key: OptionalKey,
    body: Body<PairBody>,
) -> Answer<Json<PairedDto>> {
    let attempt = web.pairing_limiter.begin(address).await;
    let attempt = attempt.map_err(|limited| refusal(limited, "Too many wrong pairing codes. Wait a moment."))?;
    let paired = pair_device(&web.platform, &body.value.code, key.text().as_deref()).await;
    if !matches!(&paired, Err(Error::Refused(_))) {
        attempt.give_back();
    }
    let paired = paired?;
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
    /// Ticket types that admit at other times, with their tickets.
    windows: Vec<TypeWindowDto>,
    gates: Vec<GateDto>,
    public_keys: Vec<PublicKeyDto>,
    /// How often each ticket admits: `single` or `reentry`.
    #[schema(value_type = String)]
    entry_rule: EntryRule,
    /// True: everything is here, nothing need be kept of an earlier package.
    whole: bool,
    #[schema(value_type = Vec<String>)]
    revoked: Vec<TicketId>,
    /// Those who came in at some time, left again or not.
    #[schema(value_type = Vec<String>)]
    admitted: Vec<TicketId>,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
}

/// A ticket type that admits at times of its own.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypeWindowDto {
    #[schema(value_type = String)]
    ticket_type: TicketTypeId,
    #[schema(value_type = String, format = DateTime)]
    valid_from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    valid_until: Timestamp,
    #[schema(value_type = Vec<String>)]
    tickets: Vec<TicketId>,
}

impl From<TypeWindow> for TypeWindowDto {
    fn from(found: TypeWindow) -> Self {
        let TypeWindow { ticket_type, window, tickets } = found;
        Self { ticket_type, valid_from: window.from, valid_until: window.until, tickets }
    }
}

/// What a device has already.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PackageParams {
    /// The `now` of the last package. An answer that is not `whole` holds what came after it; today every answer is.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(rename = "since")]
    _since: Option<Timestamp>,
}

/// The offline package: keys, gates, rule, times, revoked and admitted tickets.
#[utoipa::path(get, path = "/api/v1/devices/me/package", params(PackageParams), tag = "scanning",
    responses((status = 200, body = PackageDto), (status = 401, body = Problem)))]
pub async fn package(
    State(web): State<Web>,
    DeviceCaller { device, .. }: DeviceCaller,
    Params(_params): Params<PackageParams>,
) -> Answer<Json<PackageDto>> {
    let found = package_query(&web.platform, &device).await?;
    Ok(Json(PackageDto {
        event: found.event.id,
        name: found.event.name,
        valid_from: found.window.from,
        valid_until: found.window.until,
        windows: found.windows.into_iter().map(Into::into).collect(),
        gates: found.gates.iter().map(gate).collect(),
        public_keys: public_keys(&found.signer),
        entry_rule: found.event.entry_rule,
        whole: true,
        revoked: found.revoked,
        admitted: found.admitted,
        now: found.now,
    }))
}

/// Server-sent events: `admitted` and `revoked` with tickets; `package` means that the package must be fetched anew. Ends when the device is revoked.
#[utoipa::path(get, path = "/api/v1/devices/me/stream", tag = "scanning",
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn stream(
    State(web): State<Web>,
    ClientAddress(address): ClientAddress,
    caller: DeviceCaller,
) -> Answer<Response> {
    let (organization, holder) = (caller.device.organization, caller.device.id.uuid());
    let permit = web.device_streams.enter(StreamOf { address, organization, holder })?;
    // Heard from before the key is looked at again, so that a revocation in between is not missed.
    let signals = web.gate_watch.subscribe();
    let stopping = web.stopping.clone();
    let looks = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    let listener = Listener { web, caller, signals, looks };
    let frames = stream::unfold(listener, |mut listener| async move { Some((listener.next().await?, listener)) });
    Ok(sse(permit.kept_by(beating(frames)), stopping))
}

/// A device that listens.
struct Listener {
    web: Web,
    caller: DeviceCaller,
    signals: Receiver<(Option<EventScope>, GateSignal)>,
    looks: Interval,
}

impl Listener {
    /// The next frame; none once the device is revoked.
    async fn next(&mut self) -> Option<Bytes> {
        let device = Arc::clone(&self.caller.device);
        let scope = EventScope { organization: device.organization, event: device.event };
        loop {
            let signal = tokio::select! {
                signal = self.signals.recv() => signal,
                // A revocation through another node is not signalled here.
                _ = self.looks.tick() => {
                    if self.is_revoked().await {
                        return None;
                    }
                    continue;
                }
            };
            let (event, tickets) = match signal {
                Ok((of, GateSignal::Admitted(ticket))) if of == Some(scope) => ("admitted", vec![ticket]),
                Ok((of, GateSignal::Revoked(tickets))) if of == Some(scope) => ("revoked", tickets),
                Ok((of, GateSignal::Listing)) if of == Some(scope) => return Some(self.listing_changed(scope).await),
                Ok((_, GateSignal::Missed)) | Err(RecvError::Lagged(_)) => ("package", Vec::new()),
                Ok((_, GateSignal::Gone(gone))) if gone == device.id => return None,
                Ok(_) => continue,
                Err(RecvError::Closed) => return None,
            };
            if event == "package" && self.is_revoked().await {
                return None;
            }
            return Some(frame(event, &serde_json::json!({ "tickets": tickets }).to_string()));
        }
    }

    /// The package must be fetched anew; the frame says when tickets admit now, where that can be read.
    async fn listing_changed(&self, scope: EventScope) -> Bytes {
        let listing = self.web.platform.listings.listing(scope).await.ok();
        let window = listing.map(|listing| listing.event.admission_window());
        let (from, until) = (window.map(|it| it.from), window.map(|it| it.until));
        let body = serde_json::json!({ "tickets": [], "valid_from": from, "valid_until": until });
        frame("package", &body.to_string())
    }

    /// Known to be revoked; while that cannot be asked, gates go on.
    async fn is_revoked(&self) -> bool {
        matches!(self.web.platform.credentials.device(self.caller.key).await, Ok(None))
    }
}
