//! Metrics of breakers, bulkheads, deadlines, retries, load shedding, rate limits, health and capabilities (P9, P10).

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};

use crate::family::Family;
use crate::metric::{CALL, Label, Metric, Unit, label_values};

const DEPENDENCY: Label = Label::open("dependency");
const LIMIT: Label = Label::open("limit");
const CRITICALITY: Label = Label::open("criticality");
const HEALTH: Label = Label::open("health");
const CAPABILITY: Label = Label::open("capability");

/// Guarded calls.
pub const GUARDED_CALL_SECONDS: Metric = Metric::histogram(
    "resilience",
    "voelgoed_guarded_call_seconds",
    Unit::Seconds,
    CALL,
    &[DEPENDENCY, GuardEnd::LABEL],
    "Calls through a guard, retries included, by the layer that ended them.",
);
/// State of each breaker.
pub const BREAKER_STATE: Metric = Metric::gauge(
    "resilience",
    "voelgoed_breaker_state",
    Unit::Count,
    &[DEPENDENCY],
    "State of the breaker: 0 closed, 1 half open, 2 open.",
);
/// Transitions of breakers.
pub const BREAKER_TRANSITIONS_TOTAL: Metric = Metric::counter(
    "resilience",
    "voelgoed_breaker_transitions_total",
    &[DEPENDENCY, BreakerTo::LABEL],
    "Changes of state of breakers by the state reached.",
);
/// Calls that a bulkhead refused.
pub const BULKHEAD_REJECTIONS_TOTAL: Metric = Metric::counter(
    "resilience",
    "voelgoed_bulkhead_rejections_total",
    &[LIMIT],
    "Calls refused at once because a bulkhead's queue was full.",
);
/// Permits in use.
pub const BULKHEAD_RUNNING: Metric = Metric::gauge(
    "resilience",
    "voelgoed_bulkhead_running",
    Unit::Count,
    &[LIMIT],
    "Calls that run inside a bulkhead now.",
);
/// Retries.
pub const RETRIES_TOTAL: Metric = Metric::counter(
    "resilience",
    "voelgoed_retries_total",
    &[DEPENDENCY, RetryOutcome::LABEL],
    "Retries made, and retries skipped because policy, budget or deadline did not allow them.",
);
/// Requests shed.
pub const SHED_TOTAL: Metric = Metric::counter(
    "resilience",
    "voelgoed_shed_total",
    &[CRITICALITY],
    "Requests refused because of overload, by criticality.",
);
/// Rate limits hit.
pub const RATE_LIMITED_TOTAL: Metric = Metric::counter(
    "resilience",
    "voelgoed_rate_limited_total",
    &[LIMIT],
    "Requests refused by a rate limit, by name of the limit.",
);
/// Checks of shared limits.
pub const LIMIT_ASKS_TOTAL: Metric = Metric::counter(
    "resilience",
    "voelgoed_limit_asks_total",
    &[LIMIT, LimitAnswer::LABEL],
    "Requests of a node for a part of a limit that all nodes share, by name of the limit and answer; without an answer the node applies its own limit.",
);
/// Health of dependencies.
pub const DEPENDENCY_HEALTH: Metric = Metric::gauge(
    "resilience",
    "voelgoed_dependency_health",
    Unit::Count,
    &[DEPENDENCY],
    "Health of a dependency: 0 up, 1 limited, 2 down.",
);
/// Changes of health.
pub const DEPENDENCY_CHANGES_TOTAL: Metric = Metric::counter(
    "resilience",
    "voelgoed_dependency_changes_total",
    &[DEPENDENCY, HEALTH],
    "Changes of a dependency's health by the health reached.",
);
/// Requests that the capability table refused.
pub const CAPABILITY_REFUSALS_TOTAL: Metric = Metric::counter(
    "resilience",
    "voelgoed_capability_refusals_total",
    &[CAPABILITY],
    "Requests refused before they began because a store that they need is unavailable, by capability.",
);

label_values! {
    /// How a guarded call ended.
    GuardEnd = "end" {
        /// With a response.
        Answered = "answered",
        /// With the dependency's own error.
        Failed = "failed",
        /// The deadline passed.
        Deadline = "deadline",
        /// The bulkhead was full.
        Bulkhead = "bulkhead",
        /// The breaker was open.
        Breaker = "breaker",
    }
}

label_values! {
    /// The state that a breaker reached.
    BreakerTo = "to" {
        /// Calls pass.
        Closed = "closed",
        /// A few calls probe.
        HalfOpen = "half_open",
        /// Calls are refused.
        Open = "open",
    }
}

label_values! {
    /// The answer about a shared limit.
    LimitAnswer = "answer" {
        /// A part of the limit was granted.
        Given = "given",
        /// The limit is used up.
        Refused = "refused",
        /// The store did not answer.
        Unavailable = "away",
    }
}

label_values! {
    /// Whether a call was retried.
    RetryOutcome = "retry" {
        /// Retried.
        Made = "made",
        /// The budget was empty.
        NoBudget = "no_budget",
        /// The deadline would have passed.
        NoTime = "no_time",
        /// The policy's number of retries was used.
        NoMore = "no_more",
    }
}

/// Every metric of this area.
pub const ALL: &[Metric] = &[
    GUARDED_CALL_SECONDS,
    BREAKER_STATE,
    BREAKER_TRANSITIONS_TOTAL,
    BULKHEAD_REJECTIONS_TOTAL,
    BULKHEAD_RUNNING,
    RETRIES_TOTAL,
    SHED_TOTAL,
    RATE_LIMITED_TOTAL,
    LIMIT_ASKS_TOTAL,
    DEPENDENCY_HEALTH,
    DEPENDENCY_CHANGES_TOTAL,
    CAPABILITY_REFUSALS_TOTAL,
];

static GUARDED: Family<Histogram, 2> = Family::of(&GUARDED_CALL_SECONDS);
static BREAKER: Family<Gauge, 1> = Family::of(&BREAKER_STATE);
static TRANSITIONS: Family<Counter, 2> = Family::of(&BREAKER_TRANSITIONS_TOTAL);
static REJECTIONS: Family<Counter, 1> = Family::of(&BULKHEAD_REJECTIONS_TOTAL);
static RUNNING: Family<Gauge, 1> = Family::of(&BULKHEAD_RUNNING);
static RETRIES: Family<Counter, 2> = Family::of(&RETRIES_TOTAL);
static SHED: Family<Counter, 1> = Family::of(&SHED_TOTAL);
static LIMITED: Family<Counter, 1> = Family::of(&RATE_LIMITED_TOTAL);
static ASKS: Family<Counter, 2> = Family::of(&LIMIT_ASKS_TOTAL);
static HEALTHS: Family<Gauge, 1> = Family::of(&DEPENDENCY_HEALTH);
static CHANGES: Family<Counter, 2> = Family::of(&DEPENDENCY_CHANGES_TOTAL);
static CAPABILITY_REFUSALS: Family<Counter, 1> = Family::of(&CAPABILITY_REFUSALS_TOTAL);

/// Records a guarded call that ended.
pub fn guarded_call(dependency: &str, end: GuardEnd, took: Duration) {
    GUARDED.at([dependency, end.as_str()], |histogram| histogram.record(took));
}

/// Sets the state of a breaker and counts the transition.
pub fn breaker_changed(dependency: &str, to: BreakerTo) {
    let level = match to {
        BreakerTo::Closed => 0.0,
        BreakerTo::HalfOpen => 1.0,
        BreakerTo::Open => 2.0,
    };
    BREAKER.at([dependency], |gauge| gauge.set(level));
    TRANSITIONS.at([dependency, to.as_str()], |counter| counter.increment(1));
}

/// Counts a call that a bulkhead refused.
pub fn bulkhead_rejected(limit: &str) {
    REJECTIONS.at([limit], |counter| counter.increment(1));
}

/// Changes the number of running calls of a bulkhead by `by`.
pub fn bulkhead_running(limit: &str, by: i32) {
    RUNNING.at([limit], |gauge| gauge.increment(f64::from(by)));
}

/// Counts a retry, made or skipped.
pub fn retry(dependency: &str, retry: RetryOutcome) {
    RETRIES.at([dependency, retry.as_str()], |counter| counter.increment(1));
}

/// Counts a shed request.
pub fn shed(criticality: &'static str) {
    SHED.at([criticality], |counter| counter.increment(1));
}

/// Counts a request that a rate limit refused.
pub fn rate_limited(limit: &str) {
    LIMITED.at([limit], |counter| counter.increment(1));
}

/// Counts a check of a shared limit.
pub fn limit_checked(limit: &str, answer: LimitAnswer) {
    ASKS.at([limit, answer.as_str()], |counter| counter.increment(1));
}

/// Sets a dependency's health (`level` 0 up, 1 limited, 2 down) and counts the change.
pub fn dependency_changed(dependency: &str, health: &'static str, level: u8) {
    HEALTHS.at([dependency], |gauge| gauge.set(f64::from(level)));
    CHANGES.at([dependency, health], |counter| counter.increment(1));
}

/// Counts a request that was refused because a store that `capability` needs is unavailable.
pub fn capability_refused(capability: &'static str) {
    CAPABILITY_REFUSALS.at([capability], |counter| counter.increment(1));
}
