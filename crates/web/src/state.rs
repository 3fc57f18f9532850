//! What every handler shares. Cheap to clone.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use voelgoed_app::catalog::ports::EventSummary;
use voelgoed_app::limits::Limiter;
use voelgoed_app::limits::attempts::AttemptLimiter;
use voelgoed_app::nodes::members::Members;
use voelgoed_app::page::Page;
use voelgoed_app::platform::Platform;
use voelgoed_app::scanning::watch::GateWatch;
use voelgoed_domain::ids::{OrganizationId, SessionId};
use voelgoed_hot::fanout::Fanout;
use voelgoed_hot::last_known::LastKnown;
use voelgoed_resilience::health::Capabilities;
use voelgoed_resilience::load_shed::LoadShed;
use voelgoed_resilience::rate_limit::RateLimiter;
use voelgoed_resilience::shares::Shares;
use voelgoed_telemetry::exporter::Exporter;

use crate::bodies::Bodies;
use crate::client_address::AddressRules;
use crate::key_guesses::KeyGuesses;
use crate::last_known::{AskedEvents, AskedList};
use crate::login_limits::LoginLimits;
use crate::precompressed::RenderedVersions;
use crate::rates::PromoCodeLimits;
use crate::streams::Streams;

/// How the surface is set up.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// The largest body, in bytes.
    pub largest_body: usize,
    /// The largest seating plan that is imported, in bytes.
    pub largest_layout: usize,
    /// The longest that a request may take; streams excepted.
    pub request_deadline: Duration,
    /// How client addresses are found and counted.
    pub address_rules: AddressRules,
    /// Cookies are sent over TLS only.
    pub secure_cookies: bool,
    /// The operator's key, where tenants may be made over the network.
    pub operator_key: Option<[u8; 32]>,
}

/// What every handler shares.
pub struct Shared {
    /// Commands and ports.
    pub platform: Arc<Platform>,
    /// Availability and its streams.
    pub fanout: Arc<Fanout>,
    /// Signals for gates.
    pub gate_watch: GateWatch,
    /// What organizers' lists answered last.
    pub last_lists: LastKnown<AskedList, Bytes>,
    /// What the list of events answered last.
    pub last_events: LastKnown<AskedEvents, Page<EventSummary>>,
    /// What is possible now.
    pub capabilities: Capabilities,
    /// Which node this is; new at each start.
    pub node: Uuid,
    /// Which nodes there are.
    pub members: Members,
    /// Refuses the less critical first.
    pub load_shed: LoadShed,
    /// Prometheus text.
    pub exporter: &'static Exporter,
    /// How the surface is set up.
    pub settings: WebSettings,
    /// Per session.
    pub session_limiter: Limiter<SessionId>,
    /// Per address.
    pub address_limiter: Limiter<IpAddr>,
    /// Logins, per address.
    pub login_limiter: Limiter<IpAddr>,
    /// Wrong passwords, per account.
    pub login_limits: LoginLimits,
    /// Logins in work, per address, so that one cannot occupy the password hasher.
    pub login_shares: Shares<IpAddr>,
    /// Wrong pairing codes, per address.
    pub pairing_limiter: AttemptLimiter<IpAddr>,
    /// Wrong promo codes, per session and address.
    pub promo_code_limits: PromoCodeLimits,
    /// Holds, per address.
    pub hold_limiter: Limiter<IpAddr>,
    /// Writes of organizers, per organization.
    pub organizer_limiter: Limiter<OrganizationId>,
    /// Keys that nobody has, per address and kind.
    pub key_guesses: KeyGuesses,
    /// Bodies on their way.
    pub bodies: Bodies,
    /// Unknown keys of devices that are looked for before their requests are let in.
    pub key_lookups: Semaphore,
    /// Reads of pages and lists that anybody may see, per address.
    pub read_limiter: RateLimiter<IpAddr>,
    /// Maps of seating plans, by version.
    pub maps: RenderedVersions,
    /// Large bodies that are being compressed.
    pub compressions: Semaphore,
    /// Who follows an event's availability.
    pub viewer_streams: Streams,
    /// Who follows an order.
    pub order_streams: Streams,
    /// Who stands at a gate and listens.
    pub device_streams: Streams,
    /// Ends readiness, before anything else ends, so that a balancer sends nothing new.
    pub leaving: CancellationToken,
    /// Ends streams when the node stops, so that viewers go elsewhere.
    pub stopping: CancellationToken,
}

/// [`Shared`], as handlers hold it.
#[derive(Clone)]
pub struct Web(Arc<Shared>);

impl Web {
    /// Shares the parts.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl Deref for Web {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
