//! What every handler shares, put together from the wiring and the settings.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use voelgoed_app::limits::Limiter;
use voelgoed_app::limits::attempts::AttemptLimiter;
use voelgoed_app::limits::ports::Allowances;
use voelgoed_app::scanning::watch::GateWatch;
use voelgoed_app::token::fingerprint;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_hot::last_known::LastKnown;
use voelgoed_resilience::{
    BulkheadLimit, KeyedConcurrencyLimit, LoadShed, LoadShedLimit, RateLimit, RateLimiter, Shares,
};
use voelgoed_telemetry::Exporter;
use voelgoed_web::bodies::{Bodies, BodyLimits};
use voelgoed_web::body_pool::PoolLimits;
use voelgoed_web::key_guesses::KeyGuesses;
use voelgoed_web::login_limits::LoginLimits;
use voelgoed_web::precompressed::RenderedVersions;
use voelgoed_web::rates::PromoCodeLimits;
use voelgoed_web::state::{Shared, Web, WebSettings};
use voelgoed_web::streams::{StreamLimits, Streams};

use super::Stop;
use crate::settings::{Limits, Settings};
use crate::wiring::Wired;

/// WorkClass that begins this late sheds what is least critical.
const LATE_BY: Duration = Duration::from_millis(500);
/// Unknown keys of devices that are looked for at once before their requests are let in.
const KEY_LOOKUPS_MAX: usize = 64;
/// Large answers that are compressed at once outside of the rendered versions; further ones are sent uncompressed.
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
    let shared = || wired.allowances.clone();
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
        settings: web_settings(settings),
        session_limiter: Limiter::new(rate("session_writes", limits.session_burst, limits.session_per), shared()),
        address_limiter: Limiter::new(rate("address_writes", limits.address_burst, limits.address_per), shared()),
        login_limiter: Limiter::new(rate("logins", limits.login_burst, limits.login_per), shared()),
        organizer_limiter: organizer_limiter(limits, &shared),
        hold_limiter: Limiter::new(rate("holds_per_address", limits.hold_burst, limits.hold_per), shared()),
        login_limits: login_limits(limits, &shared),
        login_shares: login_shares(limits),
        pairing_limiter: AttemptLimiter::new(rate("pairings", limits.pairing_burst, limits.pairing_per), shared()),
        promo_code_limits: promo_code_limits(limits, &shared),
        key_guesses: KeyGuesses::new(|name| rate(name, limits.guess_burst, limits.guess_per)),
        bodies: Bodies::new(BodyLimits {
            pool: PoolLimits::new(limits.body_bytes_max, limits.layout),
            per_address_max: limits.bodies_per_address_max,
            timeout: limits.body_timeout,
            bytes_per_second_min: limits.body_bytes_per_second_min,
            time_max: limits.body_time_max,
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

/// What handlers read of the configuration.
fn web_settings(settings: &Settings) -> WebSettings {
    let limits = &settings.limits;
    let operator_key = Some(settings.secrets.operator.trim()).filter(|key| !key.is_empty()).map(fingerprint);
    WebSettings {
        largest_body: limits.body,
        largest_layout: limits.layout,
        request_deadline: settings.server.request_deadline,
        address_rules: settings.address_rules(),
        secure_cookies: settings.server.secure_cookies,
        operator_key,
    }
}

/// An address may have half of the password hasher's work, so that it cannot keep others waiting.
fn login_shares(limits: &Limits) -> Shares<IpAddr> {
    let running = (limits.password_hashes_max / 2).max(1);
    let waiting = limits.logins_per_address_waiting_max;
    Shares::new(BulkheadLimit { name: "logins_per_address", running, waiting }, LIMITED_KEYS)
}

const fn rate(name: &'static str, burst: u32, per: Duration) -> RateLimit {
    RateLimit { name, burst, per, keys: LIMITED_KEYS }
}

/// What the nodes count in common.
type Common = Option<Arc<dyn Allowances>>;

fn login_limits(limits: &Limits, shared: &impl Fn() -> Common) -> LoginLimits {
    let accounts = rate("logins_per_account", limits.login_account_burst, limits.login_account_per);
    let places = rate("logins_per_account_and_place", limits.login_place_burst, limits.login_place_per);
    LoginLimits::new(AttemptLimiter::new(accounts, shared()), AttemptLimiter::new(places, shared()))
}

fn organizer_limiter(limits: &Limits, shared: &impl Fn() -> Common) -> Limiter<OrganizationId> {
    Limiter::new(rate("organizer_writes", limits.organizer_write_burst, limits.organizer_write_per), shared())
}

fn promo_code_limits(limits: &Limits, shared: &impl Fn() -> Common) -> PromoCodeLimits {
    let sessions = rate("promo_codes_per_session", limits.promo_code_burst, limits.promo_code_per);
    let addresses = rate("promo_codes_per_address", limits.promo_code_address_burst, limits.promo_code_address_per);
    PromoCodeLimits {
        sessions: AttemptLimiter::new(sessions, shared()),
        addresses: AttemptLimiter::new(addresses, shared()),
    }
}
