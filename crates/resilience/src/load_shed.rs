//! Sheds the least critical requests first when this process has more requests in flight, or starts due work later, than its limits.
//!
//! Never: a queue (a shed request is refused at once), a scan or payment refused while a less critical request is admitted. To add a class: a
//! variant of [`Criticality`] with its share and its factor.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use voelgoed_telemetry::metrics::resilience as metrics;

use crate::outage_log::OutageLog;
use crate::retry_after::RetryAfter;

/// The half-life of a measured delay, so that a process that refuses every request notices its recovery.
const DELAY_HALF_LIFE: Duration = Duration::from_millis(250);
/// The pause between two measurements of [`LoadShed::measure_delay`].
const MEASURE_INTERVAL: Duration = Duration::from_millis(50);

/// The class of a request by the harm of refusing it, most critical first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criticality {
    /// A scan at a gate, or a payment.
    ScanOrPay,
    /// A hold of places.
    Hold,
    /// A page or a seat map.
    Browse,
    /// An organizer's list, export or figure.
    Report,
}

impl Criticality {
    /// Every class, most critical first.
    pub const ALL: [Self; 4] = [Self::ScanOrPay, Self::Hold, Self::Browse, Self::Report];

    /// The name in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScanOrPay => "scan_or_pay",
            Self::Hold => "hold",
            Self::Browse => "browse",
            Self::Report => "report",
        }
    }

    /// The share of `in_flight_max` up to which the class is admitted, in per cent; less critical classes stop earlier.
    const fn share_percent(self) -> usize {
        match self {
            Self::ScanOrPay => 100,
            Self::Hold => 85,
            Self::Browse => 70,
            Self::Report => 50,
        }
    }

    /// The class is refused when work starts later than `delay_target` times this factor.
    const fn delay_factor_max(self) -> u32 {
        match self {
            Self::ScanOrPay => 16,
            Self::Hold => 8,
            Self::Browse => 4,
            Self::Report => 2,
        }
    }

    /// The wait before a retry; longer for less critical classes.
    const fn retry_after(self) -> RetryAfter {
        match self {
            Self::ScanOrPay => RetryAfter::seconds(1),
            Self::Hold => RetryAfter::seconds(2),
            Self::Browse => RetryAfter::seconds(5),
            Self::Report => RetryAfter::seconds(30),
        }
    }
}

/// The load that a process accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadShedLimit {
    /// Requests in flight; open streams do not count.
    pub in_flight_max: usize,
    /// How late due work may start under normal load.
    pub delay_target: Duration,
}

/// The request was shed because the process is overloaded; nothing was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("overloaded; try again in {retry_after}")]
pub struct Shed {
    /// The wait before a retry.
    pub retry_after: RetryAfter,
}

/// Measures the load of one process and admits requests by their class.
#[derive(Debug)]
pub struct LoadShed {
    limit: LoadShedLimit,
    in_flight: AtomicUsize,
    delay: Mutex<(Duration, Instant)>,
    outages: OutageLog,
}

/// An admitted request; dropping the permit ends it.
#[derive(Debug)]
#[must_use = "dropping the permit ends the request"]
pub struct LoadShedPermit<'a>(&'a LoadShed);

impl LoadShed {
    /// Starts without load.
    #[must_use]
    pub fn new(limit: LoadShedLimit) -> Self {
        let delay = Mutex::new((Duration::ZERO, Instant::now()));
        Self { limit, in_flight: AtomicUsize::new(0), delay, outages: OutageLog::new("load_shed", "requests") }
    }

    /// Admits a request.
    ///
    /// # Errors
    /// [`Shed`] if the class is refused at the present load.
    pub fn admit(&self, criticality: Criticality) -> Result<LoadShedPermit<'_>, Shed> {
        // Counted first and returned on refusal, so that two concurrent requests cannot both take the last place.
        let admitted = LoadShedPermit(self);
        let before = self.in_flight.fetch_add(1, Ordering::AcqRel);
        let fits = before < (self.limit.in_flight_max * criticality.share_percent() / 100).max(1);
        if fits && self.delay() < self.limit.delay_target * criticality.delay_factor_max() {
            self.outages.passed();
            return Ok(admitted);
        }
        self.outages.refused();
        metrics::shed(criticality.as_str());
        Err(Shed { retry_after: criticality.retry_after() })
    }

    /// Records how late due work started.
    pub fn record_delay(&self, by: Duration) {
        let now = Instant::now();
        let mut delay = self.delay.lock().unwrap_or_else(PoisonError::into_inner);
        *delay = (decayed(*delay, now).max(by), now);
    }

    /// The measured delay, decayed to now.
    #[must_use]
    pub fn delay(&self) -> Duration {
        decayed(*self.delay.lock().unwrap_or_else(PoisonError::into_inner), Instant::now())
    }

    /// Admitted requests that have not ended.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Measures how late the runtime wakes a due task; never returns, so its owner runs and stops it.
    pub async fn measure_delay(&self) {
        loop {
            let due = Instant::now() + MEASURE_INTERVAL;
            sleep_until(due).await;
            self.record_delay(due.elapsed());
        }
    }
}

/// A measurement after exponential decay.
fn decayed((delay, at): (Duration, Instant), now: Instant) -> Duration {
    let halves = now.saturating_duration_since(at).as_secs_f64() / DELAY_HALF_LIFE.as_secs_f64();
    delay.mul_f64(0.5_f64.powf(halves))
}

impl Drop for LoadShedPermit<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
