//! Runs the durable jobs of the cold tier and relays its outbox to consumers; `README.md` beside this crate specifies the contract of a job.
//!
//! Never: the work itself (it is in `app`), SQL, a clock of its own, work that is lost with the process. Promises: P8 (at least once,
//! in an aggregate's order), P9 (every wait, queue and retry has a named limit). To add a kind of job: see the README's last section.

mod alarm_interval;
mod attempt;
pub mod backoff;
pub mod registry;
pub mod relay;
mod run_schedules;
pub mod runner;
mod runner_context;
pub mod settings;
mod store_availability;
mod wakeup;
mod worker;

pub use registry::{Registry, WiringError};
pub use relay::Relay;
pub use runner::Runner;
pub use settings::{RelaySettings, RunnerSettings};
