//! Metrics of HTTP requests by route template, and of the share of sale requests without access to the cold tier (P11).
//!
//! Never: a path with an id as label; the route is the template that the router matched.

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
    "Requests with a response, by route template, method and class of status.",
);
/// Time to the response's head.
pub const HTTP_REQUEST_SECONDS: Metric = Metric::histogram(
    "web",
    "voelgoed_http_request_seconds",
    Unit::Seconds,
    CALL,
    &[ROUTE, METHOD],
    "Time from the request's head to the response's head, streams included.",
);
/// Requests in progress.
pub const HTTP_IN_FLIGHT: Metric =
    Metric::gauge("web", "voelgoed_http_in_flight", Unit::Count, &[], "Requests in progress, without open streams.");
/// Sale requests; P11 limits the share that accesses the cold tier.
pub const SALE_REQUESTS_TOTAL: Metric = Metric::counter(
    "web",
    "voelgoed_sale_requests_total",
    &[TOUCHED_COLD],
    "Requests of a sale by whether they touched the cold tier; at least 90 % should not.",
);
/// Stalled connections.
pub const CONNECTIONS_STALLED_TOTAL: Metric = Metric::counter(
    "web",
    "voelgoed_connections_stalled_total",
    &[],
    "Connections that were closed because their clients stopped reading the response.",
);
/// Requests across tenants.
pub const TENANT_MISMATCHES_TOTAL: Metric = Metric::counter(
    "web",
    "voelgoed_tenant_mismatches_total",
    &[ROUTE],
    "Requests that named an id of another organization or carried a wrong token.",
);

/// Every metric of this area.
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

/// Counts a request; `route` is the matched template, or `unmatched`.
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

/// Counts a request of a sale (availability, hold, order, payment, order page).
pub fn sale_request(touched: Touched) {
    SALE.at([if touched.cold() { "yes" } else { "no" }], |counter| counter.increment(1));
}

/// Counts a connection that was closed because its client stopped reading.
pub fn connection_stalled() {
    STALLED.at([], |counter| counter.increment(1));
}

/// Counts a request with an id of another organization or a wrong token.
pub fn tenant_mismatch(route: &str) {
    MISMATCHES.at([route], |counter| counter.increment(1));
}

/// Counts a request as in flight until dropped.
#[must_use = "dropping it ends the request"]
pub struct InFlightGuard(());

/// Counts a request as in flight from now on.
pub fn in_flight() -> InFlightGuard {
    IN_FLIGHT.at([], |gauge| gauge.increment(1.0));
    InFlightGuard(())
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        IN_FLIGHT.at([], |gauge| gauge.decrement(1.0));
    }
}
