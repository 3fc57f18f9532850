//! A breaker: after too many failures among the last calls it refuses for a while, then lets a few probes decide.
//!
//! Never: more probes at once than its limit, a verdict from a call that began in an earlier state, a change of state without metric and log
//! line. A dropped permit says nothing (the caller went away) and gives its probe back. Our own core rather than a library's: states can be
//! read and forced, probes are counted, and time is tokio's, so tests need no waiting.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use voelgoed_telemetry::metrics::resilience::{self as metrics, BreakerTo};

use crate::retry_after::RetryAfter;

mod permit;

pub use permit::BreakerPermit;

/// When it opens and closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerLimit {
    /// The last so many calls are judged; nothing is judged before there are so many.
    pub window: usize,
    /// It opens when this share of them failed, in per cent.
    pub failures_percent: usize,
    /// It refuses for so long.
    pub open_for: Duration,
    /// Then so many calls try at once, and so many successes in a row close it; one failure opens it again.
    pub probes: usize,
}

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls pass and are judged.
    Closed,
    /// A few probes pass.
    HalfOpen,
    /// Calls are refused.
    Open,
}

/// What a person said, over anything it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forced {
    /// Refuse everything, e.g. during a provider's maintenance.
    Open,
    /// Let everything pass.
    Closed,
}

/// It is open; nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the breaker is open; try again in {retry_after}")]
pub struct BreakerOpen {
    /// When it may let a probe pass.
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
    forced: Option<Forced>,
    /// Rises with each change of phase, so that late verdicts are told apart.
    generation: u64,
}

enum Phase {
    /// The last outcomes, true for a failure.
    Closed(VecDeque<bool>),
    Open {
        until: Instant,
    },
    HalfOpen {
        trying: usize,
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

    /// The same breaker, telling `listener` each state that it reaches.
    /// It is told while the breaker is locked, so it must be quick and leave the breaker alone.
    #[must_use]
    pub fn on_change(mut self, listener: impl Fn(BreakerState) + Send + Sync + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Asks for leave to make a call.
    ///
    /// # Errors
    /// [`BreakerOpen`] where it is open, or half open with all probes out.
    pub fn permit(&self) -> Result<BreakerPermit<'_>, BreakerOpen> {
        let mut core = self.core();
        match core.forced {
            Some(Forced::Open) => return Err(self.open_for(self.limit.open_for)),
            Some(Forced::Closed) => return Ok(self.leave(&core)),
            None => {}
        }
        if let Phase::Open { until } = core.phase {
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return Err(self.open_for(left));
            }
            self.enter(&mut core, Phase::HalfOpen { trying: 0, succeeded: 0 });
        }
        if let Phase::HalfOpen { trying, succeeded } = &mut core.phase {
            if *trying + *succeeded >= self.limit.probes {
                return Err(self.open_for(Duration::ZERO));
            }
            *trying += 1;
        }
        Ok(self.leave(&core))
    }

    /// Whether a call may begin that says by [`Self::note`] how it ended, where no permit can travel with it. A half open one lets
    /// everybody pass until the first has ended.
    ///
    /// # Errors
    /// [`BreakerOpen`] where it is open.
    pub fn check(&self) -> Result<(), BreakerOpen> {
        match self.permit() {
            Err(open) if self.state() == BreakerState::Open => Err(open),
            // The permit is dropped, which gives its probe back.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// How a call ended that was let begin by [`Self::check`].
    pub fn note(&self, failed: bool) {
        match self.permit() {
            Ok(permit) if failed => permit.failed(),
            Ok(permit) => permit.succeeded(),
            // It ended after others had decided.
            Err(_) => {}
        }
    }

    /// What it does now; an open one whose time is over is still open until somebody asks for leave.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.core().state()
    }

    /// Forces it, or with `None` lets it judge for itself again, from closed.
    pub fn force(&self, forced: Option<Forced>) {
        let mut core = self.core();
        let before = core.state();
        core.forced = forced;
        core.generation += 1;
        core.phase = Phase::Closed(VecDeque::new());
        self.announce(before, core.state());
    }

    fn judge(&self, generation: u64, failed: Option<bool>) {
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
            (Phase::HalfOpen { trying, succeeded }, Some(false)) => {
                *trying = trying.saturating_sub(1);
                *succeeded += 1;
                (*succeeded >= self.limit.probes).then(|| Phase::Closed(VecDeque::new()))
            }
            (Phase::HalfOpen { trying, .. }, None) => {
                *trying = trying.saturating_sub(1);
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
        self.announce(before, core.state());
    }

    fn announce(&self, before: BreakerState, now: BreakerState) {
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

    fn leave(&self, core: &Core) -> BreakerPermit<'_> {
        BreakerPermit::new(self, core.generation)
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    const fn state(&self) -> BreakerState {
        match (&self.forced, &self.phase) {
            (Some(Forced::Open), _) | (None, Phase::Open { .. }) => BreakerState::Open,
            (Some(Forced::Closed), _) | (None, Phase::Closed(_)) => BreakerState::Closed,
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
