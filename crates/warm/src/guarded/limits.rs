//! The limits of calls to a remote warm store, by the kind of call.

use std::time::Duration;

use voelgoed_resilience::{BreakerLimit, BulkheadLimit, GuardLimit, RetryBudgetLimit, RetryPolicy};

/// A command of one event.
pub const COMMAND_LIMIT: GuardLimit = GuardLimit {
    name: "warm",
    deadline: Duration::from_millis(2_500),
    // A script takes a millisecond and the adapter's reply timeout is one second, so a longer silence means a stopped server.
    attempt_timeout: Duration::from_millis(1_100),
    bulkhead: BulkheadLimit { name: "warm", running_max: 1_024, waiting_max: 16_384 },
    breaker: BreakerLimit { window: 5, failures_percent: 60, open_for: Duration::from_secs(1), probes: 1 },
    retry: RetryPolicy {
        retries_max: 2,
        first_wait_max: Duration::from_millis(20),
        wait_max: Duration::from_millis(200),
    },
    retry_budget: RetryBudgetLimit { percent_of_calls: 10, per_second: 5, balance_max: 50 },
};

/// A command over a whole event or over all events: few at once, a longer timeout, no report of health.
pub const LONG_LIMIT: GuardLimit = GuardLimit {
    name: "warm_long",
    deadline: Duration::from_secs(15),
    attempt_timeout: Duration::from_secs(12),
    bulkhead: BulkheadLimit { name: "warm_long", running_max: 32, waiting_max: 1_024 },
    retry: RetryPolicy::NEVER,
    ..COMMAND_LIMIT
};

/// A spending from an allowance: without waiting and retries, because a node counts on its own if the reply is late.
pub const ALLOWANCES_LIMIT: GuardLimit = GuardLimit {
    name: "warm_allowances",
    deadline: Duration::from_millis(150),
    attempt_timeout: Duration::from_millis(150),
    bulkhead: BulkheadLimit { name: "warm_allowances", running_max: 512, waiting_max: 0 },
    retry: RetryPolicy::NEVER,
    ..COMMAND_LIMIT
};

/// A publish or subscribe on the cluster bus: one attempt tries one server after the other.
pub const CLUSTER_BUS_LIMIT: GuardLimit = GuardLimit {
    name: "bulletin",
    deadline: Duration::from_millis(3_500),
    attempt_timeout: Duration::from_millis(3_500),
    bulkhead: BulkheadLimit { name: "bulletin", running_max: 16, waiting_max: 1_024 },
    retry: RetryPolicy::NEVER,
    ..COMMAND_LIMIT
};
