//! What every handler shares, put together from the wiring and the settings.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use voelgoed_app::limits::Limiter;
use voelgoed_app::scanning::watch::GateWatch;
use voelgoed_app::token::fingerprint;
use voelgoed_hot::last_known::LastKnown;
use voelgoed_resilience::{KeyedConcurrencyLimit, LoadShed, LoadShedLimit, RateLimit, RateLimiter};
use voelgoed_telemetry::Exporter;
use voelgoed_web::bodies::{Bodies, BodyLimits};
use voelgoed_web::precompressed::RenderedVersions;
use voelgoed_web::rates::Guesses;
use voelgoed_web::state::{Shared, Web, WebSettings};
use voelgoed_web::streams::{StreamLimits, Streams};

use super::Stop;
use crate::settings::Settings;
use crate::wiring::Wired;

/// Work that begins this late sheds what is least critical.
const LATE_BY: Duration = Duration::from_millis(500);
/// Unknown keys of devices that are looked for at once before their requests are let in.
const KEY_LOOKUPS_MAX: usize = 64;
/// Large bodies that are compressed at once.
const COMPRESSIONS_MAX: usize = 2;
/// Keys that a rate limiter remembers; beyond it they share one allowance.
const LIMITED_KEYS: usize = 200_000;

/// Streams of one kind: all, of one address, of one organization; of one holder.
fn streams(limits: [(&'static str, usize); 3], per_holder: usize) -> Streams {
    let [all, per_address, per_organization] = limits.map(|(name, most)| KeyedConcurrencyLimit { name, most });
    Streams::new(StreamLimits { all, per_address, per_organization, per_holder })
}

/// The surface's state. Its rate limits count over all nodes, where there can be others; while the warm tier is away over this one.
pub fn of(wired: &Wired, settings: &Settings, exporter: &'static Exporter, stop: &Stop) -> Web {
    let limits = &settings.limits;
    let rate = |name, burst, per| RateLimit { name, burst, per, keys: LIMITED_KEYS };
    let session_rate = rate("session_writes", limits.session_burst, limits.session_per);
    let address_rate = rate("address_writes", limits.address_burst, limits.address_per);
    let login_rate = rate("logins", limits.login_burst, limits.login_per);
    let shared = || wired.allowances.clone();
    let operator_key = (!settings.secrets.operator.is_empty()).then(|| fingerprint(&settings.secrets.operator));
    Web::new(Shared {
        platform: Arc::clone(&wired.platform),
        fanout: Arc::clone(&wired.fanout),
        gate_watch: GateWatch::default(),
        last_lists: LastKnown::new(wired.platform.environment.clone()),
        last_events: LastKnown::new(wired.platform.environment.clone()),
        capabilities: wired.capabilities.clone(),
        node: wired.node,
        members: wired.members.clone(),
        load_shed: LoadShed::new(LoadShedLimit { in_flight: settings.server.most_in_flight, delay: LATE_BY }),
        exporter,
        settings: WebSettings {
            largest_body: limits.body,
            largest_layout: limits.layout,
            request_deadline: settings.server.request_deadline,
            trusted_proxies: settings.server.trusted_proxies.clone(),
            secure_cookies: settings.server.secure_cookies,
            operator_key,
        },
        session_limiter: Limiter::new(session_rate, shared()),
        address_limiter: Limiter::new(address_rate, shared()),
        login_limiter: Limiter::new(login_rate, shared()),
        hold_limiter: Limiter::new(rate("holds_per_address", limits.hold_burst, limits.hold_per), shared()),
        guesses: Guesses::new(rate("key_guesses", limits.guess_burst, limits.guess_per)),
        bodies: Bodies::new(BodyLimits {
            bytes_max: limits.body_bytes_max,
            per_address_max: limits.bodies_per_address_max,
            timeout: limits.body_timeout,
            bytes_per_second_min: limits.body_bytes_per_second_min,
        }),
        key_lookups: Semaphore::new(KEY_LOOKUPS_MAX),
        read_limiter: RateLimiter::new(rate("reads_per_address", limits.read_burst, limits.read_per)),
        maps: RenderedVersions::new(limits.map_bytes_max),
        compressions: Semaphore::new(COMPRESSIONS_MAX),
        viewer_streams: streams(
            [
                ("viewers", limits.viewers),
                ("viewers_per_address_max", limits.viewers_per_address_max),
                ("viewers_per_organization_max", limits.viewers_per_organization_max),
            ],
            limits.viewers_per_session_max,
        ),
        order_streams: streams(
            [
                ("order_streams", limits.order_streams),
                ("order_streams_per_address_max", limits.order_streams_per_address_max),
                ("order_streams_per_organization_max", limits.order_streams_per_organization_max),
            ],
            limits.order_streams_per_order_max,
        ),
        device_streams: streams(
            [
                ("device_streams", limits.device_streams),
                ("device_streams_per_address_max", limits.device_streams_per_address_max),
                ("device_streams_per_organization_max", limits.device_streams_per_organization_max),
            ],
            limits.device_streams_per_device_max,
        ),
        leaving: stop.leaving.clone(),
        stopping: stop.stopping.clone(),
    })
}
