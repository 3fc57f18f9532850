//! How the platform waits, refuses, retries and degrades: each idea a file with its type, its error and its tests.
//!
//! Never: a slice's types, a store, HTTP. Promises: everything remote has a deadline, a bulkhead and a breaker (P9); what still works when
//! something is away is read from one table (P10). To add an idea: a file that stands alone, and a line in [`guard`] if calls pass it.

pub mod allowance;
pub mod breaker;
pub mod bulkhead;
pub mod capability;
pub mod deadline;
mod episode;
pub mod guard;
pub mod health;
pub mod keyed_concurrency;
pub mod load_shed;
pub mod log_interval;
pub mod probe;
pub mod rate_limit;
pub mod retry;
pub mod retry_after;
pub mod shares;

pub use allowance::Spent;
pub use breaker::{Breaker, BreakerLimit, BreakerOpen, BreakerState, Forced};
pub use bulkhead::{Bulkhead, BulkheadFull, BulkheadLimit};
pub use capability::{Answer, Capability, Degradation};
pub use deadline::{Deadline, DeadlineExceeded};
pub use guard::{Guard, GuardError, GuardLimit, Repeat, Verdict};
pub use health::{Capabilities, Dependency, Health};
pub use keyed_concurrency::{KeyedConcurrency, KeyedConcurrencyFull, KeyedConcurrencyLimit, KeyedPermit};
pub use load_shed::{Criticality, LoadShed, LoadShedLimit, Shed};
pub use log_interval::LogInterval;
pub use rate_limit::{RateLimit, RateLimited, RateLimiter};
pub use retry::{RetryBudget, RetryBudgetLimit, RetryPolicy};
pub use retry_after::RetryAfter;
pub use shares::Shares;
