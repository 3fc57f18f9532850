//! Sheds load from the least critical side when this process has more work than it does in time.
//!
//! Never: a queue (who is refused is refused at once), a scan or payment refused while anything else is let in. Two signals: requests in
//! flight, and how late the process is to start work that is due. To add a class: a variant of [`Criticality`] with its shares.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use voelgoed_telemetry::metrics::resilience as metrics;

use crate::episode::Episode;
use crate::retry_after::RetryAfter;

/// A measured delay counts half after so long, so that a process which refuses everybody finds out that it has recovered.
const HALF_LIFE: Duration = Duration::from_millis(250);
/// How often [`LoadShed::watch`] looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How much harm a refusal does, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criticality {
    /// People stand at a gate, or money is on its way.
    ScanOrPay,
    /// Somebody wants places.
    Hold,
    /// Somebody looks.
    Browse,
    /// A list, an export, a figure.
    Report,
}

impl Criticality {
    /// Every class, worst first.
    pub const ALL: [Self; 4] = [Self::ScanOrPay, Self::Hold, Self::Browse, Self::Report];

    /// Its name in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScanOrPay => "scan_or_pay",
            Self::Hold => "hold",
            Self::Browse => "browse",
            Self::Report => "report",
        }
    }

    /// Its share of the places in flight, in per cent: what is less critical stops earlier.
    const fn share_percent(self) -> usize {
        match self {
            Self::ScanOrPay => 100,
            Self::Hold => 85,
            Self::Browse => 70,
            Self::Report => 50,
        }
    }

    /// It is refused when work starts later than the target by this factor.
    const fn patience(self) -> u32 {
        match self {
            Self::ScanOrPay => 16,
            Self::Hold => 8,
            Self::Browse => 4,
            Self::Report => 2,
        }
    }

    /// When a refused one should come again.
    const fn retry_after(self) -> RetryAfter {
        match self {
            Self::ScanOrPay => RetryAfter::seconds(1),
            Self::Hold => RetryAfter::seconds(2),
            Self::Browse => RetryAfter::seconds(5),
            Self::Report => RetryAfter::seconds(30),
        }
    }
}

/// How much a process takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadShedLimit {
    /// Requests in flight, open streams not counted.
    pub in_flight: usize,
    /// How late work may start while all is well.
    pub delay: Duration,
}

/// There is more work than this process does in time; nothing was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("overloaded; try again in {retry_after}")]
pub struct Shed {
    /// When to come again.
    pub retry_after: RetryAfter,
}

/// The load of one process.
#[derive(Debug)]
pub struct LoadShed {
    limit: LoadShedLimit,
    in_flight: AtomicUsize,
    delay: Mutex<(Duration, Instant)>,
    episode: Episode,
}

/// A request in flight; dropping it ends it.
#[derive(Debug)]
#[must_use = "dropping it ends the request"]
pub struct InFlight<'a>(&'a LoadShed);

impl LoadShed {
    /// A process without load.
    #[must_use]
    pub fn new(limit: LoadShedLimit) -> Self {
        let delay = Mutex::new((Duration::ZERO, Instant::now()));
        Self { limit, in_flight: AtomicUsize::new(0), delay, episode: Episode::new("load_shed", "requests") }
    }

    /// Lets a request in.
    ///
    /// # Errors
    /// [`Shed`] where its class is refused now.
    pub fn admit(&self, criticality: Criticality) -> Result<InFlight<'_>, Shed> {
        // Taken first and given back on refusal, so that two at once cannot both take the last place.
        let admitted = InFlight(self);
        let before = self.in_flight.fetch_add(1, Ordering::AcqRel);
        let fits = before < (self.limit.in_flight * criticality.share_percent() / 100).max(1);
        if fits && self.delay() < self.limit.delay * criticality.patience() {
            self.episode.passed();
            return Ok(admitted);
        }
        self.episode.refused();
        metrics::shed(criticality.as_str());
        Err(Shed { retry_after: criticality.retry_after() })
    }

    /// Says how late some work started.
    pub fn started_late(&self, by: Duration) {
        let now = Instant::now();
        let mut delay = self.delay.lock().unwrap_or_else(PoisonError::into_inner);
        *delay = (decayed(*delay, now).max(by), now);
    }

    /// How late work starts at present.
    #[must_use]
    pub fn delay(&self) -> Duration {
        decayed(*self.delay.lock().unwrap_or_else(PoisonError::into_inner), Instant::now())
    }

    /// Requests in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Measures without end how late the runtime wakes a task that is due; its owner runs and stops it.
    pub async fn watch(&self) {
        loop {
            let due = Instant::now() + LOOK_EVERY;
            sleep_until(due).await;
            self.started_late(due.elapsed());
        }
    }
}

/// A measurement as it counts now.
fn decayed((delay, at): (Duration, Instant), now: Instant) -> Duration {
    let halves = now.saturating_duration_since(at).as_secs_f64() / HALF_LIFE.as_secs_f64();
    delay.mul_f64(0.5_f64.powf(halves))
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
