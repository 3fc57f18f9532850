//! Serves scanners: pairing, the offline package, and a stream of signals.

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
use utoipa_axum::routes;
use voelgoed_app::error::CommandError;
use voelgoed_app::scanning::Scanning;
use voelgoed_app::scanning::gate_signals::GateSignal;
use voelgoed_app::scanning::offline_package::TicketTypeWindow;
use voelgoed_app::scanning::ticket_codes::signer;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::ids::{DeviceId, EventId, TicketId, TicketTypeId};
use voelgoed_domain::scanning::code::TicketSigner;
use voelgoed_domain::scanning::entry::EntryRule;
use voelgoed_domain::time::Timestamp;

use super::gates::{GateDto, gate};
use super::sse::{frame, sse, with_heartbeat};
use crate::extract::{ClientAddress, DeviceCaller, JsonBody, OptionalKey, QueryParams};
use crate::problem::{HandlerResult, Problem};
use crate::rate_limit_refusal::rate_limit_refusal;
use crate::routes::{Access, Class, Proof, Route, api};
use crate::state::Web;
use crate::stream_permits::StreamOwner;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(pair), Access::Anyone, Scanning::NAME).class(Class::Hold),
        api(routes!(package), Access::Device, Scanning::NAME).critical_with(Proof::Device),
        api(routes!(stream), Access::Device, Scanning::NAME).critical_with(Proof::Device),
    ]
}

/// How often the key of a streaming device is checked again.
const REVOCATION_CHECK_INTERVAL: Duration = Duration::from_secs(15);

/// The code that a person types into the scanner.
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

/// A key that signs valid ticket codes.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicKeyDto {
    /// The number that codes name the key by.
    id: u32,
    /// Ed25519, base64.
    key: String,
}

fn public_keys(signer: &TicketSigner) -> Vec<PublicKeyDto> {
    vec![PublicKeyDto { id: signer.id().0, key: STANDARD.encode(signer.public_key()) }]
}

/// Exchanges a pairing code for a key, once.
#[utoipa::path(post, path = "/api/v1/devices/pair", request_body = PairBody, tag = "scanning",
    responses((status = 200, body = PairedDto), (status = 410, body = Problem, description = "pairing_expired"), (status = 429, body = Problem)))]
pub async fn pair(
    State(web): State<Web>,
    ClientAddress(address): ClientAddress,
    key: OptionalKey,
    body: JsonBody<PairBody>,
) -> HandlerResult<Json<PairedDto>> {
    let attempt = web.pairing_limiter.begin(address).await;
    let attempt =
        attempt.map_err(|limited| rate_limit_refusal(limited, "Too many wrong pairing codes. Wait a moment."))?;
    let paired = web.slices.scanning.pair_device(&body.value.code, key.text().as_deref()).await;
    if !matches!(&paired, Err(CommandError::Refused(_))) {
        attempt.give_back();
    }
    let paired = paired?;
    let signer = signer(&web.slices.context.master, paired.device.organization);
    Ok(Json(PairedDto {
        device: paired.device.id,
        key: paired.key,
        event: paired.device.event,
        gates: paired.gates.iter().map(gate).collect(),
        public_keys: public_keys(&signer),
    }))
}

/// The data with which a scanner works offline.
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
    /// True: this package is complete and replaces earlier ones.
    whole: bool,
    #[schema(value_type = Vec<String>)]
    revoked: Vec<TicketId>,
    /// Tickets that were admitted, whether they left again or not.
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

impl From<TicketTypeWindow> for TypeWindowDto {
    fn from(found: TicketTypeWindow) -> Self {
        let TicketTypeWindow { ticket_type, window, tickets } = found;
        Self { ticket_type, valid_from: window.from, valid_until: window.until, tickets }
    }
}

/// The package that the device has.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PackageParams {
    /// The `now` of the last package. An answer that is not `whole` has only later changes; today every answer is whole.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(rename = "since")]
    _since: Option<Timestamp>,
}

/// The offline package: keys, gates, rule, times, revoked and admitted tickets.
#[utoipa::path(get, path = "/api/v1/devices/me/package", params(PackageParams), tag = "scanning",
    responses((status = 200, body = PackageDto), (status = 401, body = Problem)))]
pub async fn package(
    State(scanning): State<Arc<Scanning>>,
    DeviceCaller { device, .. }: DeviceCaller,
    QueryParams(_params): QueryParams<PackageParams>,
) -> HandlerResult<Json<PackageDto>> {
    let found = scanning.offline_package(&device).await?;
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

/// Server-sent events: `admitted` and `revoked` with tickets; `package` means that the package must be fetched again. Ends when the device is revoked.
#[utoipa::path(get, path = "/api/v1/devices/me/stream", tag = "scanning",
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn stream(
    State(web): State<Web>,
    ClientAddress(address): ClientAddress,
    caller: DeviceCaller,
) -> HandlerResult<Response> {
    let (organization, holder) = (caller.device.organization, caller.device.id.uuid());
    let permit = web.device_streams.acquire(StreamOwner { address, organization, holder })?;
    // Subscribes before the key is checked again, so that a revocation in between is not missed.
    let signals = web.slices.scanning.gate_watch.subscribe();
    let stopping = web.stopping.clone();
    let revocation_checks = interval_at(Instant::now() + REVOCATION_CHECK_INTERVAL, REVOCATION_CHECK_INTERVAL);
    let device_stream = DeviceStream { web, caller, signals, revocation_checks };
    let frames = stream::unfold(device_stream, |mut stream| async move { Some((stream.next().await?, stream)) });
    Ok(sse(permit.guard(with_heartbeat(frames)), stopping))
}

/// The stream of a device.
struct DeviceStream {
    web: Web,
    caller: DeviceCaller,
    signals: Receiver<(Option<EventScope>, GateSignal)>,
    revocation_checks: Interval,
}

impl DeviceStream {
    /// The next frame; none once the device is revoked.
    async fn next(&mut self) -> Option<Bytes> {
        let device = Arc::clone(&self.caller.device);
        let scope = EventScope { organization: device.organization, event: device.event };
        loop {
            let signal = tokio::select! {
                signal = self.signals.recv() => signal,
                // A revocation by another node is not signalled here.
                _ = self.revocation_checks.tick() => {
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
                Ok((_, GateSignal::Resync)) | Err(RecvError::Lagged(_)) => ("package", Vec::new()),
                Ok((_, GateSignal::DeviceRevoked(gone))) if gone == device.id => return None,
                Ok(_) => continue,
                Err(RecvError::Closed) => return None,
            };
            if event == "package" && self.is_revoked().await {
                return None;
            }
            return Some(frame(event, &serde_json::json!({ "tickets": tickets }).to_string()));
        }
    }

    /// The frame for a package that must be fetched again, with the new admission window where it can be read.
    async fn listing_changed(&self, scope: EventScope) -> Bytes {
        let listing = self.web.slices.catalog.listings.listing(scope).await.ok();
        let window = listing.map(|listing| listing.event.admission_window());
        let (from, until) = (window.map(|it| it.from), window.map(|it| it.until));
        let body = serde_json::json!({ "tickets": [], "valid_from": from, "valid_until": until });
        frame("package", &body.to_string())
    }

    /// Whether the device is known to be revoked; while that cannot be read, the scanner goes on.
    async fn is_revoked(&self) -> bool {
        matches!(self.web.slices.accounts.credentials.device(self.caller.key).await, Ok(None))
    }
}
