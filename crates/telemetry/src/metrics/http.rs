//! The HTTP surface: requests by route template, and the share of a sale's requests that never touch the cold tier (P11).
//!
//! Never: a path with an id in it; the route is the template that the router matched.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};

use crate::family::Family;
use crate::metric::{CALL, Label, Metric, Unit};
use crate::touch::Touched;

const ROUTE: Label = Label::open("route");
const METHOD: Label = Label::closed("method", &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other"]);
const STATUS: Label = Label::closed("status", &["2xx", "1xx", "3xx", "4xx", "5xx"]);
const TOUCHED_COLD: Label = Label::closed("touched_cold", &["no", "yes"]);

/// Requests.
pub const HTTP_REQUESTS_TOTAL: Metric = Metric::counter(
    "web",
    "voelgoed_http_requests_total",
    &[ROUTE, METHOD, STATUS],
    "Answered requests by route template, method and class of status.",
);
/// Time to the answer's head.
pub const HTTP_REQUEST_SECONDS: Metric = Metric::histogram(
    "web",
    "voelgoed_http_request_seconds",
    Unit::Seconds,
    CALL,
    &[ROUTE, METHOD],
    "Time from the request's head to the answer's head, streams included.",
);
/// Requests being answered.
pub const HTTP_IN_FLIGHT: Metric = Metric::gauge(
    "web",
    "voelgoed_http_in_flight",
    Unit::Count,
    &[],
    "Requests that are being answered now, open streams not counted.",
);
/// The denominator and the numerator of P11.
pub const SALE_REQUESTS_TOTAL: Metric = Metric::counter(
    "web",
    "voelgoed_sale_requests_total",
    &[TOUCHED_COLD],
    "Requests of a sale by whether they touched the cold tier; at least 90 % should not.",
);
/// Connections closed because their peers read nothing.
pub const CONNECTIONS_STALLED_TOTAL: Metric = Metric::counter(
    "web",
    "voelgoed_connections_stalled_total",
    &[],
    "Connections that were closed because their peers took nothing of what waited for them.",
);
/// Attempts across tenants.
pub const TENANT_MISMATCHES_TOTAL: Metric = Metric::counter(
    "web",
    "voelgoed_tenant_mismatches_total",
    &[ROUTE],
    "Requests that named an id of another organization or carried a wrong token.",
);

/// The list.
pub const ALL: &[Metric] = &[
    HTTP_REQUESTS_TOTAL,
    HTTP_REQUEST_SECONDS,
    HTTP_IN_FLIGHT,
    SALE_REQUESTS_TOTAL,
    CONNECTIONS_STALLED_TOTAL,
    TENANT_MISMATCHES_TOTAL,
];

static REQUESTS: Family<Counter, 3> = Family::of(&HTTP_REQUESTS_TOTAL);
static DURATION: Family<Histogram, 2> = Family::of(&HTTP_REQUEST_SECONDS);
static IN_FLIGHT: Family<Gauge, 0> = Family::of(&HTTP_IN_FLIGHT);
static SALE: Family<Counter, 1> = Family::of(&SALE_REQUESTS_TOTAL);
static STALLED: Family<Counter, 0> = Family::of(&CONNECTIONS_STALLED_TOTAL);
static MISMATCHES: Family<Counter, 1> = Family::of(&TENANT_MISMATCHES_TOTAL);

/// A request was answered; `route` is the matched template, or `unmatched`.
pub fn http_request(route: &str, method: &str, status: u16, took: Duration) {
    let class = match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    REQUESTS.at([route, method, class], |counter| counter.increment(1));
    DURATION.at([route, method], |histogram| histogram.record(took));
}

/// A request of a sale (availability, hold, order, payment, order page) was answered.
pub fn sale_request(touched: Touched) {
    SALE.at([if touched.cold() { "yes" } else { "no" }], |counter| counter.increment(1));
}

/// A connection was closed because its peer took nothing of what waited for it.
pub fn connection_stalled() {
    STALLED.at([], |counter| counter.increment(1));
}

/// An id of a foreign organization or a wrong token was shown.
pub fn tenant_mismatch(route: &str) {
    MISMATCHES.at([route], |counter| counter.increment(1));
}

/// Counts a request as in flight until dropped.
#[must_use = "dropping it ends the request"]
pub struct InFlight(());

/// A request begins.
pub fn in_flight() -> InFlight {
    IN_FLIGHT.at([], |gauge| gauge.increment(1.0));
    InFlight(())
}

impl Drop for InFlight {
    fn drop(&mut self) {
        IN_FLIGHT.at([], |gauge| gauge.decrement(1.0));
    }
}
