//! Holds the section `[sale]`: times of holds, payments and order links.

use std::time::Duration;

use serde::Deserialize;
use voelgoed_app::context::SaleTimes;

use super::deserialize::duration;

/// `[sale]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleSettings {
    #[serde(deserialize_with = "duration")]
    pub hold: Duration,
    #[serde(deserialize_with = "duration")]
    pub extension: Duration,
    #[serde(deserialize_with = "duration")]
    pub send_lease: Duration,
    #[serde(deserialize_with = "duration")]
    pub poll_every: Duration,
    #[serde(deserialize_with = "duration")]
    pub order_link_lifetime: Duration,
}

impl SaleSettings {
    /// The times for the application.
    #[must_use]
    pub const fn times(&self) -> SaleTimes {
        SaleTimes {
            hold: self.hold,
            payment_extension: self.extension,
            send_lease: self.send_lease,
            poll_interval: self.poll_every,
            order_link_lifetime: self.order_link_lifetime,
        }
    }
}
