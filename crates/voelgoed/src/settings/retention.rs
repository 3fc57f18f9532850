//! Holds the section `[retention]`: how long finished rows are stored.

use std::time::Duration;

use serde::Deserialize;
use voelgoed_app::retention::class::RetentionPeriods;

use super::deserialize::duration;

/// `[retention]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionSettings {
    #[serde(deserialize_with = "duration")]
    pub facts: Duration,
    #[serde(deserialize_with = "duration")]
    pub scans: Duration,
    #[serde(deserialize_with = "duration")]
    pub audit_lines: Duration,
    #[serde(deserialize_with = "duration")]
    pub counts: Duration,
}

impl RetentionSettings {
    /// A device that was offline may send its scans late, and an organizer may look into a conflict.
    const SCANS_MIN: Duration = Duration::from_secs(7 * 24 * 3600);

    /// The periods for the application.
    #[must_use]
    pub const fn periods(&self) -> RetentionPeriods {
        RetentionPeriods {
            outbox_events: self.facts,
            scans: self.scans,
            audit_lines: self.audit_lines,
            counts: self.counts,
        }
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        let min = Self::SCANS_MIN;
        anyhow::ensure!(self.scans >= min, "retention.scans must be at least {} h", min.as_secs() / 3600);
        Ok(())
    }
}
