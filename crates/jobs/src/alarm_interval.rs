//! Limits how often an alarm is logged, so that a row which stays unreadable does not flood the log.

use std::time::Duration;

use voelgoed_domain::time::Timestamp;

/// Between two log lines of one alarm.
pub(crate) const ALARM_INTERVAL: Duration = Duration::from_secs(60);
/// Delays the alarm for an unreadable row, because during a rolling upgrade a newer node takes the row within this time.
pub(crate) const ALARM_GRACE: Duration = Duration::from_secs(30);
/// Limits the unreadable rows that one query counts.
pub(crate) const UNREADABLE_LISTED_MAX: u32 = 1_000;

/// When an alarm was last logged.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    logged_at: Option<Timestamp>,
}

impl Alarm {
    /// True at most once per [`ALARM_INTERVAL`].
    pub(crate) fn is_due(&mut self, now: Timestamp) -> bool {
        let due = self.logged_at.is_none_or(|at| now.since(at) >= ALARM_INTERVAL);
        if due {
            self.logged_at = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarm_is_logged_at_most_once_per_interval() {
        let mut alarm = Alarm::default();
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        for (seconds, due) in [(0, true), (1, false), (59, false), (60, true), (61, false), (500, true)] {
            assert_eq!(alarm.is_due(at(seconds)), due, "{seconds}");
        }
    }
}
