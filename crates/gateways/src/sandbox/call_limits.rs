//! Limits calls to the provider: deadline, bulkhead, breaker and retries, once for its own address and once for other addresses (P9).

use std::time::Duration;

use voelgoed_resilience::{BreakerLimit, BulkheadLimit, GuardLimit, RetryBudgetLimit, RetryPolicy};

/// The deadline of every call, retries included.
pub const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// Limits how long connecting may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Limits calls to the provider's own address.
pub const LIMIT: GuardLimit = GuardLimit {
    name: "sandbox_payments",
    deadline: CALL_DEADLINE,
    attempt_timeout: CALL_DEADLINE,
    // A call takes about a millisecond, so a whole on-sale burst fits into the wait that the deadline allows; a provider that does not
    // answer keeps 128 sockets.
    bulkhead: BulkheadLimit { name: "sandbox_payments", running_max: 128, waiting_max: 4096 },
    breaker: BreakerLimit { window: 20, failures_percent: 50, open_for: Duration::from_secs(5), probes: 2 },
    retry: RetryPolicy {
        retries_max: 2,
        first_wait_max: Duration::from_millis(50),
        wait_max: Duration::from_millis(400),
    },
    retry_budget: RetryBudgetLimit { percent_of_calls: 10, per_second: 1, balance_max: 20 },
};

/// Limits calls to other addresses that the provider lists for some methods, so that their failures do not open the breaker of its own.
pub const ELSEWHERE_LIMIT: GuardLimit = GuardLimit {
    name: "sandbox_payments_elsewhere",
    bulkhead: BulkheadLimit { name: "sandbox_payments_elsewhere", ..LIMIT.bulkhead },
    ..LIMIT
};
