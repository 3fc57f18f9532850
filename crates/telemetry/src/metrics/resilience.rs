//! Breakers, bulkheads, deadlines, retries, shedding, rate limits, health and capabilities (P9, P10).

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
/// State of a breaker.
pub const BREAKER_STATE: Metric = Metric::gauge(
    "resilience",
    "voelgoed_breaker_state",
    Unit::Count,
    &[DEPENDENCY],
    "State of the breaker: 0 closed, 1 half open, 2 open.",
);
/// Transitions.
pub const BREAKER_TRANSITIONS_TOTAL: Metric = Metric::counter(
    "resilience",
    "voelgoed_breaker_transitions_total",
    &[DEPENDENCY, BreakerTo::LABEL],
    "Changes of state of breakers by the state reached.",
);
/// Refused by a bulkhead.
pub const BULKHEAD_REJECTIONS_TOTAL: Metric = Metric::counter(
    "resilience",
    "voelgoed_bulkhead_rejections_total",
    &[LIMIT],
    "Calls refused at once because a bulkhead's waiting room was full.",
);
/// Places taken in a bulkhead.
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
    &[DEPENDENCY, Retry::LABEL],
    "Retries made, and retries forgone because policy, budget or deadline did not allow them.",
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
/// Questions about what callers may still do among all nodes.
pub const LIMIT_ASKS_TOTAL: Metric = Metric::counter(
    "resilience",
    "voelgoed_limit_asks_total",
    &[LIMIT, LimitAsk::LABEL],
    "Times a node asked what a caller may still do among all nodes, by name of the limit and answer; without one the node keeps its own limit.",
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
/// Refused by the capability table.
pub const CAPABILITY_REFUSALS_TOTAL: Metric = Metric::counter(
    "resilience",
    "voelgoed_capability_refusals_total",
    &[CAPABILITY],
    "Requests refused before they began because something that they need is away, by capability.",
);

label_values! {
    /// How a guarded call ended.
    GuardEnd = "end" {
        /// With an answer.
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
        /// A few calls try.
        HalfOpen = "half_open",
        /// Calls are refused.
        Open = "open",
    }
}

label_values! {
    /// What was answered about a caller.
    LimitAsk = "answer" {
        /// Part of the allowance.
        Given = "given",
        /// Nothing is left of it.
        Refused = "refused",
        /// Nobody answered.
        Away = "away",
    }
}

label_values! {
    /// What became of a wish to retry.
    Retry = "retry" {
        /// Made.
        Made = "made",
        /// The budget was empty.
        NoBudget = "no_budget",
        /// The deadline would have passed.
        NoTime = "no_time",
        /// As many as the policy allows were made.
        NoMore = "no_more",
    }
}

/// The list.
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

/// A guarded call ended.
pub fn guarded_call(dependency: &str, end: GuardEnd, took: Duration) {
    GUARDED.at([dependency, end.as_str()], |histogram| histogram.record(took));
}

/// A breaker reached a state.
pub fn breaker_changed(dependency: &str, to: BreakerTo) {
    let level = match to {
        BreakerTo::Closed => 0.0,
        BreakerTo::HalfOpen => 1.0,
        BreakerTo::Open => 2.0,
    };
    BREAKER.at([dependency], |gauge| gauge.set(level));
    TRANSITIONS.at([dependency, to.as_str()], |counter| counter.increment(1));
}

/// A bulkhead refused a call.
pub fn bulkhead_rejected(limit: &str) {
    REJECTIONS.at([limit], |counter| counter.increment(1));
}

/// `by` more calls (fewer, where negative) run inside a bulkhead.
pub fn bulkhead_running(limit: &str, by: i32) {
    RUNNING.at([limit], |gauge| gauge.increment(f64::from(by)));
}

/// A retry was made or forgone.
pub fn retry(dependency: &str, retry: Retry) {
    RETRIES.at([dependency, retry.as_str()], |counter| counter.increment(1));
}

/// A request was shed.
pub fn shed(criticality: &'static str) {
    SHED.at([criticality], |counter| counter.increment(1));
}

/// A request hit a rate limit.
pub fn rate_limited(limit: &str) {
    LIMITED.at([limit], |counter| counter.increment(1));
}

/// A node asked what a caller may still do among all nodes.
pub fn limit_asked(limit: &str, answer: LimitAsk) {
    ASKS.at([limit, answer.as_str()], |counter| counter.increment(1));
}

/// A dependency's health changed to `health`, at `level` 0 up, 1 limited, 2 down.
pub fn dependency_changed(dependency: &str, health: &'static str, level: u8) {
    HEALTHS.at([dependency], |gauge| gauge.set(f64::from(level)));
    CHANGES.at([dependency, health], |counter| counter.increment(1));
}

/// A request was refused because something that `capability` needs is away.
pub fn capability_refused(capability: &'static str) {
    CAPABILITY_REFUSALS.at([capability], |counter| counter.increment(1));
}
