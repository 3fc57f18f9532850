//! Holds what every handler shares: the slices, the limits, the caches and the settings. Cheap to clone.

use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;
use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use voelgoed_app::catalog::ports::EventSummary;
use voelgoed_app::limits::Limiter;
use voelgoed_app::limits::attempt_limiter::AttemptLimiter;
use voelgoed_app::nodes::members::Members;
use voelgoed_app::page::Page;
use voelgoed_app::slices::Slices;
use voelgoed_domain::ids::{OrganizationId, SessionId};
use voelgoed_hot::fanout::Fanout;
use voelgoed_hot::last_known::LastKnown;
use voelgoed_resilience::health::Capabilities;
use voelgoed_resilience::keyed_bulkhead::KeyedBulkhead;
use voelgoed_resilience::load_shed::LoadShed;
use voelgoed_resilience::rate_limit::RateLimiter;
use voelgoed_telemetry::exporter::Exporter;

use crate::auth_rate_limit::FailedAuthLimiter;
use crate::body_reader::BodyReader;
use crate::login_limits::LoginLimits;
use crate::promo_code_limits::PromoCodeLimits;
use crate::render_cache::RenderCache;
use crate::settings::WebSettings;
use crate::stale_fallback::{EventListKey, OrganizerListKey};
use crate::stream_permits::StreamPermits;

/// The state that all handlers share; [`Web`] is the handle.
pub struct WebState {
    /// The slices with their operations.
    pub slices: Slices,
    /// Availability and its streams.
    pub fanout: Arc<Fanout>,
    /// The last answer of each organizer list, for when its store is unavailable.
    pub last_lists: LastKnown<OrganizerListKey, Bytes>,
    /// The last read of each list of published events, for when the catalog is unavailable.
    pub last_events: LastKnown<EventListKey, Page<EventSummary>>,
    /// The capability table.
    pub capabilities: Capabilities,
    /// The identifier of this node; a new one at each start.
    pub node: Uuid,
    /// The nodes of the cluster that have a heartbeat.
    pub members: Members,
    /// Refuses the least critical requests first.
    pub load_shed: LoadShed,
    /// Renders the metrics as Prometheus text.
    pub exporter: &'static Exporter,
    /// The settings that handlers read.
    pub settings: WebSettings,
    /// Writes of buyers, per session.
    pub session_limiter: Limiter<SessionId>,
    /// Writes of buyers, per address.
    pub address_limiter: Limiter<IpAddr>,
    /// Logins, per address.
    pub login_address_limiter: Limiter<IpAddr>,
    /// Wrong passwords, per account.
    pub login_limits: LoginLimits,
    /// Password checks that run or wait, per address, so that no address occupies the password hasher.
    pub login_bulkhead: KeyedBulkhead<IpAddr>,
    /// Wrong pairing codes, per address.
    pub pairing_limiter: AttemptLimiter<IpAddr>,
    /// Wrong promo codes, per session and address.
    pub promo_code_limits: PromoCodeLimits,
    /// Holds, per address.
    pub hold_limiter: Limiter<IpAddr>,
    /// Writes of organizers, per organization.
    pub organizer_limiter: Limiter<OrganizationId>,
    /// Unknown keys, per address and kind of key.
    pub failed_auth_limiter: FailedAuthLimiter,
    /// Reads request bodies into a bounded pool.
    pub body_reader: BodyReader,
    /// Permits for looking up unknown credentials. The look-up happens before the request has a permit of load shedding.
    pub key_lookups: Semaphore,
    /// Reads of public pages and lists, per address.
    pub read_limiter: RateLimiter<IpAddr>,
    /// Rendered seating plans, by version.
    pub maps: RenderCache,
    /// Permits to compress a large body on a blocking thread.
    pub compressions: Semaphore,
    /// Streams of an event's availability.
    pub viewer_streams: StreamPermits,
    /// Streams of an order's state.
    pub order_streams: StreamPermits,
    /// Streams of signals to scanners.
    pub device_streams: StreamPermits,
    /// Ends readiness before requests are refused, so that a balancer sends no new ones.
    pub leaving: CancellationToken,
    /// Ends streams when the node stops, so that viewers reconnect to another node.
    pub stopping: CancellationToken,
}

/// The shared state, as handlers hold it.
#[derive(Clone)]
pub struct Web(Arc<WebState>);

impl Web {
    /// Shares the state.
    #[must_use]
    pub fn new(state: WebState) -> Self {
        Self(Arc::new(state))
    }
}

/// A handler that uses one slice takes `State<Arc<TheSlice>>`; a slice without a line in `app::slices` does not compile here.
impl<S> FromRef<Web> for Arc<S>
where
    Slices: AsRef<Self>,
{
    fn from_ref(web: &Web) -> Self {
        Self::clone(web.slices.as_ref())
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Web")
    }
}

impl Deref for Web {
    type Target = WebState;

    fn deref(&self) -> &WebState {
        &self.0
    }
}
