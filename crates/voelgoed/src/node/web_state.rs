//! Builds the state that all HTTP handlers share, with its rate limits and stream limits, from the runtime and the settings.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use voelgoed_app::limits::Limiter;
use voelgoed_app::limits::attempt_limiter::AttemptLimiter;
use voelgoed_app::limits::ports::Allowances;
use voelgoed_app::token::fingerprint;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_hot::last_known::LastKnown;
use voelgoed_resilience::{
    BulkheadLimit, KeyedBulkhead, KeyedConcurrencyLimit, LoadShed, LoadShedLimit, RateLimit, RateLimiter,
};
use voelgoed_telemetry::Exporter;
use voelgoed_web::auth_rate_limit::FailedAuthLimiter;
use voelgoed_web::body_pool::PoolLimits;
use voelgoed_web::body_reader::{BodyLimits, BodyReader};
use voelgoed_web::login_limits::LoginLimits;
use voelgoed_web::promo_code_limits::PromoCodeLimits;
use voelgoed_web::render_cache::RenderCache;
use voelgoed_web::settings::WebSettings;
use voelgoed_web::state::{Web, WebState};
use voelgoed_web::stream_permits::{StreamLimits, StreamPermits};

use super::Stop;
use crate::settings::{LimitSettings, Settings};
use crate::wiring::Runtime;

/// Requests that wait longer before they start cause load shedding.
const QUEUE_DELAY_TARGET: Duration = Duration::from_millis(500);
/// Lookups of unknown device keys at once, before their requests are admitted.
const KEY_LOOKUPS_MAX: usize = 64;
/// Large responses that are compressed at once outside of the render cache; further ones are sent uncompressed.
const COMPRESSIONS_MAX: usize = 2;
/// Keys of a rate limiter; further keys share one allowance.
const LIMITER_KEYS_MAX: usize = 200_000;

/// Permits for streams: in all, per address, per organization, and per holder.
fn stream_permits(limits: [(&'static str, usize); 3], per_holder: usize) -> StreamPermits {
    let [all, per_address, per_organization] =
        limits.map(|(name, most)| KeyedConcurrencyLimit { name, permits_max: most });
    StreamPermits::new(StreamLimits { all, per_address, per_organization, per_holder })
}

/// The state of all handlers. Rate limits count over all nodes, and over this node while the warm tier is unavailable.
pub fn web_state(runtime: &Runtime, settings: &Settings, exporter: &'static Exporter, stop: &Stop) -> Web {
    let limits = &settings.limits;
    let shared = || runtime.allowances.clone();
    Web::new(WebState {
        slices: runtime.slices.clone(),
        fanout: Arc::clone(&runtime.fanout),
        last_lists: LastKnown::new(runtime.slices.context.environment.clone()),
        last_events: LastKnown::new(runtime.slices.context.environment.clone()),
        capabilities: runtime.capabilities.clone(),
        node: runtime.node,
        members: runtime.members.clone(),
        load_shed: LoadShed::new(LoadShedLimit {
            in_flight_max: settings.server.most_in_flight,
            delay_target: QUEUE_DELAY_TARGET,
        }),
        exporter,
        settings: web_settings(settings),
        session_limiter: Limiter::new(rate("session_writes", limits.session_burst, limits.session_per), shared()),
        address_limiter: Limiter::new(rate("address_writes", limits.address_burst, limits.address_per), shared()),
        login_address_limiter: Limiter::new(rate("logins", limits.login_burst, limits.login_per), shared()),
        organizer_limiter: organizer_limiter(limits, &shared),
        hold_limiter: Limiter::new(rate("holds_per_address", limits.hold_burst, limits.hold_per), shared()),
        login_limits: login_limits(limits, &shared),
        login_bulkhead: login_bulkhead(limits),
        pairing_limiter: AttemptLimiter::new(rate("pairings", limits.pairing_burst, limits.pairing_per), shared()),
        promo_code_limits: promo_code_limits(limits, &shared),
        failed_auth_limiter: FailedAuthLimiter::new(|name| rate(name, limits.guess_burst, limits.guess_per)),
        body_reader: BodyReader::new(BodyLimits {
            pool: PoolLimits::new(limits.body_bytes_max, limits.layout),
            per_address_max: limits.bodies_per_address_max,
            timeout: limits.body_timeout,
            bytes_per_second_min: limits.body_bytes_per_second_min,
            time_max: limits.body_time_max,
        }),
        key_lookups: Semaphore::new(KEY_LOOKUPS_MAX),
        read_limiter: RateLimiter::new(rate("reads_per_address", limits.read_burst, limits.read_per)),
        maps: RenderCache::new(limits.map_bytes_max),
        compressions: Semaphore::new(COMPRESSIONS_MAX),
        viewer_streams: stream_permits(
            [
                ("viewers", limits.viewers),
                ("viewers_per_address_max", limits.viewers_per_address_max),
                ("viewers_per_organization_max", limits.viewers_per_organization_max),
            ],
            limits.viewers_per_session_max,
        ),
        order_streams: stream_permits(
            [
                ("order_streams", limits.order_streams),
                ("order_streams_per_address_max", limits.order_streams_per_address_max),
                ("order_streams_per_organization_max", limits.order_streams_per_organization_max),
            ],
            limits.order_streams_per_order_max,
        ),
        device_streams: stream_permits(
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

/// The settings that handlers read.
fn web_settings(settings: &Settings) -> WebSettings {
    let limits = &settings.limits;
    let operator_key = Some(settings.secrets.operator.trim()).filter(|key| !key.is_empty()).map(fingerprint);
    WebSettings {
        body_bytes_max: limits.body,
        layout_bytes_max: limits.layout,
        request_deadline: settings.server.request_deadline,
        address_rules: settings.address_rules(),
        secure_cookies: settings.server.secure_cookies,
        operator_key,
    }
}

/// One address may use half of the password hasher, so that it cannot keep others waiting.
fn login_bulkhead(limits: &LimitSettings) -> KeyedBulkhead<IpAddr> {
    let running = (limits.password_hashes_max / 2).max(1);
    let waiting = limits.logins_per_address_waiting_max;
    KeyedBulkhead::new(
        BulkheadLimit { name: "logins_per_address", running_max: running, waiting_max: waiting },
        LIMITER_KEYS_MAX,
    )
}

const fn rate(name: &'static str, burst: u32, per: Duration) -> RateLimit {
    RateLimit { name, burst, per, keys_max: LIMITER_KEYS_MAX }
}

/// Allowances that all nodes count in common.
type SharedAllowances = Option<Arc<dyn Allowances>>;

fn login_limits(limits: &LimitSettings, shared: &impl Fn() -> SharedAllowances) -> LoginLimits {
    let accounts = rate("logins_per_account", limits.login_account_burst, limits.login_account_per);
    let places = rate("logins_per_account_and_place", limits.login_place_burst, limits.login_place_per);
    LoginLimits::new(AttemptLimiter::new(accounts, shared()), AttemptLimiter::new(places, shared()))
}

fn organizer_limiter(limits: &LimitSettings, shared: &impl Fn() -> SharedAllowances) -> Limiter<OrganizationId> {
    Limiter::new(rate("organizer_writes", limits.organizer_write_burst, limits.organizer_write_per), shared())
}

fn promo_code_limits(limits: &LimitSettings, shared: &impl Fn() -> SharedAllowances) -> PromoCodeLimits {
    let sessions = rate("promo_codes_per_session", limits.promo_code_burst, limits.promo_code_per);
    let addresses = rate("promo_codes_per_address", limits.promo_code_address_burst, limits.promo_code_address_per);
    PromoCodeLimits {
        sessions: AttemptLimiter::new(sessions, shared()),
        addresses: AttemptLimiter::new(addresses, shared()),
    }
}
