//! What every handler shares, put together from the wiring and the settings.

use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::limits::Limiter;
use voelgoed_app::scanning::watch::GateWatch;
use voelgoed_app::token::fingerprint;
use voelgoed_hot::last_known::LastKnown;
use voelgoed_resilience::{LoadShed, LoadShedLimit, RateLimit};
use voelgoed_telemetry::Exporter;
use voelgoed_web::rates::Guesses;
use voelgoed_web::state::{Shared, Web, WebSettings};
use voelgoed_web::streams::Streams;

use super::Stop;
use crate::settings::Settings;
use crate::wiring::Wired;

/// Work that begins this late sheds what is least critical.
const LATE_BY: Duration = Duration::from_millis(500);
/// Keys that a rate limiter remembers; beyond it they share one allowance.
const LIMITED_KEYS: usize = 200_000;

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
        order_streams: Streams::new("order_streams", limits.order_streams),
        device_streams: Streams::new("device_streams", limits.device_streams),
        leaving: stop.leaving.clone(),
        stopping: stop.stopping.clone(),
    })
}
