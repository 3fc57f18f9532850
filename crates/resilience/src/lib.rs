//! Limits, times out, retries and degrades calls: one file per pattern, with its type, its error and its tests.
//!
//! Never: a slice's types, a store, HTTP. Every remote call has a deadline, a bulkhead and a breaker (P9); one table says what still works when a
//! dependency is unavailable (P10). To add a pattern: a file of its own, and a step in [`guard`] if calls pass through the pattern.

pub mod allowance;
pub mod breaker;
pub mod bulkhead;
pub mod capability;
pub mod deadline;
pub mod guard;
pub mod health;
pub mod keyed_bulkhead;
pub mod keyed_concurrency;
pub mod load_shed;
pub mod log_interval;
mod outage_log;
pub mod probe;
pub mod rate_limit;
pub mod retry;
pub mod retry_after;

pub use allowance::SpendOutcome;
pub use breaker::{Breaker, BreakerLimit, BreakerOpen, BreakerState, ForcedState};
pub use bulkhead::{Bulkhead, BulkheadFull, BulkheadLimit};
pub use capability::{Capability, CapabilityAnswer, Degradation};
pub use deadline::{Deadline, DeadlineExceeded};
pub use guard::{CallFailure, Guard, GuardError, GuardLimit, RetrySafety};
pub use health::{Capabilities, Dependency, DependencyHealth};
pub use keyed_bulkhead::KeyedBulkhead;
pub use keyed_concurrency::{KeyedConcurrency, KeyedConcurrencyFull, KeyedConcurrencyLimit, KeyedPermit};
pub use load_shed::{Criticality, LoadShed, LoadShedLimit, Shed};
pub use log_interval::LogInterval;
pub use rate_limit::{RateLimit, RateLimited, RateLimiter};
pub use retry::{RetryBudget, RetryBudgetLimit, RetryPolicy};
pub use retry_after::RetryAfter;
