//! Circuit breaker: opens after too many failures among the last calls, refuses for a while, then admits probes that close or reopen it.
//!
//! Never: more probes at once than the limit, an outcome of a call that began in an earlier state, a change of state without metric and log line.
//! A dropped permit records no outcome (the caller was cancelled) and returns its probe. The core is our own so that states can be read and forced,
//! probes are counted, and tests run in tokio's virtual time (`docs/adr/0006-own-circuit-breaker.md`).

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use voelgoed_telemetry::metrics::resilience::{self as metrics, BreakerTo};

use crate::retry_after::RetryAfter;

mod permit;

pub use permit::BreakerPermit;

/// When a breaker opens and closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerLimit {
    /// The number of last calls that are judged; the breaker stays closed until there are as many.
    pub window: usize,
    /// The breaker opens when this share of the window failed, in per cent.
    pub failures_percent: usize,
    /// How long an open breaker refuses before it admits probes.
    pub open_for: Duration,
    /// Probes at once in the half-open state; as many successes in a row close the breaker, one failure reopens it.
    pub probes: usize,
}

/// The state of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls pass and are judged.
    Closed,
    /// As many calls pass as the limit has probes.
    HalfOpen,
    /// Calls are refused.
    Open,
}

/// A state that an operator forces regardless of outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForcedState {
    /// Refuse every call, e.g. during a provider's maintenance.
    Open,
    /// Admit every call.
    Closed,
}

/// The breaker is open; nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the breaker is open; try again in {retry_after}")]
pub struct BreakerOpen {
    /// When a probe may be admitted.
    pub retry_after: RetryAfter,
}

type Listener = Box<dyn Fn(BreakerState) + Send + Sync>;

/// The breaker of one dependency.
pub struct Breaker {
    name: &'static str,
    limit: BreakerLimit,
    core: Mutex<Core>,
    listener: Option<Listener>,
}

struct Core {
    phase: Phase,
    forced: Option<ForcedState>,
    /// Increases with each change of phase, so that outcomes of earlier phases are ignored.
    generation: u64,
}

enum Phase {
    /// The last outcomes, true for a failure.
    Closed(VecDeque<bool>),
    Open {
        until: Instant,
    },
    HalfOpen {
        in_flight: usize,
        succeeded: usize,
    },
}

impl Breaker {
    /// A closed breaker of the dependency `name`.
    #[must_use]
    pub fn new(name: &'static str, limit: BreakerLimit) -> Self {
        let limit = BreakerLimit { window: limit.window.max(1), probes: limit.probes.max(1), ..limit };
        let core = Core { phase: Phase::Closed(VecDeque::new()), forced: None, generation: 0 };
        Self { name, limit, core: Mutex::new(core), listener: None }
    }

    /// Calls `listener` with each new state. The breaker is locked during the call, so the listener must be quick and not use the breaker.
    #[must_use]
    pub fn on_change(mut self, listener: impl Fn(BreakerState) + Send + Sync + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Takes a permit for one call.
    ///
    /// # Errors
    /// [`BreakerOpen`] if the breaker is open, or half open with all probes in flight.
    pub fn permit(&self) -> Result<BreakerPermit<'_>, BreakerOpen> {
        let mut core = self.core();
        match core.forced {
            Some(ForcedState::Open) => return Err(self.open_for(self.limit.open_for)),
            Some(ForcedState::Closed) => return Ok(self.new_permit(&core)),
            None => {}
        }
        if let Phase::Open { until } = core.phase {
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return Err(self.open_for(left));
            }
            self.enter(&mut core, Phase::HalfOpen { in_flight: 0, succeeded: 0 });
        }
        if let Phase::HalfOpen { in_flight, succeeded } = &mut core.phase {
            if *in_flight + *succeeded >= self.limit.probes {
                return Err(self.open_for(Duration::ZERO));
            }
            *in_flight += 1;
        }
        Ok(self.new_permit(&core))
    }

    /// Checks whether a call may begin that cannot carry a permit and reports by [`Self::record`]. A half-open breaker admits every such call until
    /// the first one has ended.
    ///
    /// # Errors
    /// [`BreakerOpen`] if the breaker is open.
    pub fn check(&self) -> Result<(), BreakerOpen> {
        match self.permit() {
            Err(open) if self.state() == BreakerState::Open => Err(open),
            // The permit is dropped, which returns its probe.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Records the outcome of a call that [`Self::check`] admitted.
    pub fn record(&self, failed: bool) {
        match self.permit() {
            Ok(permit) if failed => permit.failed(),
            Ok(permit) => permit.succeeded(),
            // Other calls have already opened the breaker.
            Err(_) => {}
        }
    }

    /// The present state; an open breaker becomes half open only when the next permit is taken.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.core().state()
    }

    /// Forces a state; `None` returns to judging by outcomes, starting closed.
    pub fn force(&self, forced: Option<ForcedState>) {
        let mut core = self.core();
        let before = core.state();
        core.forced = forced;
        core.generation += 1;
        core.phase = Phase::Closed(VecDeque::new());
        self.notify(before, core.state());
    }

    fn record_outcome(&self, generation: u64, failed: Option<bool>) {
        let mut core = self.core();
        if core.generation != generation || core.forced.is_some() {
            return;
        }
        let next = match (&mut core.phase, failed) {
            (Phase::Closed(window), Some(failed)) => {
                window.push_back(failed);
                if window.len() > self.limit.window {
                    window.pop_front();
                }
                let failures = window.iter().filter(|failed| **failed).count();
                let over = failures * 100 >= self.limit.failures_percent * self.limit.window;
                (over && failures > 0 && window.len() == self.limit.window).then(|| self.opened())
            }
            (Phase::HalfOpen { .. }, Some(true)) => Some(self.opened()),
            (Phase::HalfOpen { in_flight, succeeded }, Some(false)) => {
                *in_flight = in_flight.saturating_sub(1);
                *succeeded += 1;
                (*succeeded >= self.limit.probes).then(|| Phase::Closed(VecDeque::new()))
            }
            (Phase::HalfOpen { in_flight, .. }, None) => {
                *in_flight = in_flight.saturating_sub(1);
                None
            }
            (Phase::Closed(_) | Phase::Open { .. }, _) => None,
        };
        if let Some(next) = next {
            self.enter(&mut core, next);
        }
    }

    fn enter(&self, core: &mut Core, phase: Phase) {
        let before = core.state();
        core.phase = phase;
        core.generation += 1;
        self.notify(before, core.state());
    }

    fn notify(&self, before: BreakerState, now: BreakerState) {
        if before == now {
            return;
        }
        metrics::breaker_changed(self.name, now.into());
        match now {
            BreakerState::Open => tracing::warn!(dependency = self.name, from = ?before, to = ?now, "breaker changed"),
            _ => tracing::info!(dependency = self.name, from = ?before, to = ?now, "breaker changed"),
        }
        if let Some(listener) = &self.listener {
            listener(now);
        }
    }

    fn opened(&self) -> Phase {
        Phase::Open { until: Instant::now() + self.limit.open_for }
    }

    fn open_for(&self, left: Duration) -> BreakerOpen {
        BreakerOpen { retry_after: left.into() }
    }

    fn new_permit(&self, core: &Core) -> BreakerPermit<'_> {
        BreakerPermit::new(self, core.generation)
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    const fn state(&self) -> BreakerState {
        match (&self.forced, &self.phase) {
            (Some(ForcedState::Open), _) | (None, Phase::Open { .. }) => BreakerState::Open,
            (Some(ForcedState::Closed), _) | (None, Phase::Closed(_)) => BreakerState::Closed,
            (None, Phase::HalfOpen { .. }) => BreakerState::HalfOpen,
        }
    }
}

impl From<BreakerState> for BreakerTo {
    fn from(state: BreakerState) -> Self {
        match state {
            BreakerState::Closed => Self::Closed,
            BreakerState::HalfOpen => Self::HalfOpen,
            BreakerState::Open => Self::Open,
        }
    }
}

#[cfg(test)]
mod tests;
