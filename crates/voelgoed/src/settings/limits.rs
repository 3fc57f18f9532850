//! Holds the section `[limits]`: rate limits, sizes of bodies, numbers of streams and of places per address.

use std::time::Duration;

use serde::Deserialize;
use voelgoed_app::ticketing::address_limit::PlacesPerAddress;
use voelgoed_resilience::BulkheadLimit;

use super::deserialize::duration;

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    pub body: usize,
    pub layout: usize,
    pub session_burst: u32,
    #[serde(deserialize_with = "duration")]
    pub session_per: Duration,
    pub address_burst: u32,
    #[serde(deserialize_with = "duration")]
    pub address_per: Duration,
    pub login_burst: u32,
    #[serde(deserialize_with = "duration")]
    pub login_per: Duration,
    pub login_account_burst: u32,
    #[serde(deserialize_with = "duration")]
    pub login_account_per: Duration,
    pub login_place_burst: u32,
    #[serde(deserialize_with = "duration")]
    pub login_place_per: Duration,
    pub password_hashes_max: usize,
    pub password_hashes_waiting_max: usize,
    pub logins_per_address_waiting_max: usize,
    pub pairing_burst: u32,
    #[serde(deserialize_with = "duration")]
    pub pairing_per: Duration,
    pub promo_code_burst: u32,
    #[serde(deserialize_with = "duration")]
    pub promo_code_per: Duration,
    pub promo_code_address_burst: u32,
    #[serde(deserialize_with = "duration")]
    pub promo_code_address_per: Duration,
    pub hold_burst: u32,
    #[serde(deserialize_with = "duration")]
    pub hold_per: Duration,
    pub guess_burst: u32,
    #[serde(deserialize_with = "duration")]
    pub guess_per: Duration,
    pub read_burst: u32,
    #[serde(deserialize_with = "duration")]
    pub read_per: Duration,
    pub map_bytes_max: usize,
    pub body_bytes_max: usize,
    pub bodies_per_address_max: usize,
    #[serde(deserialize_with = "duration")]
    pub body_timeout: Duration,
    pub body_bytes_per_second_min: usize,
    #[serde(deserialize_with = "duration")]
    pub body_time_max: Duration,
    pub organizer_write_burst: u32,
    #[serde(deserialize_with = "duration")]
    pub organizer_write_per: Duration,
    pub viewers: usize,
    pub viewers_per_address_max: usize,
    pub viewers_per_organization_max: usize,
    pub viewers_per_session_max: usize,
    pub order_streams_per_address_max: usize,
    pub order_streams_per_organization_max: usize,
    pub order_streams_per_order_max: usize,
    pub device_streams_per_address_max: usize,
    pub device_streams_per_organization_max: usize,
    pub device_streams_per_device_max: usize,
    pub organization_running: usize,
    pub organization_waiting: usize,
    pub order_streams: usize,
    pub device_streams: usize,
    pub ipv6_prefix_length: u8,
    pub places_per_address_max: u32,
    pub places_per_address_share_max: f64,
}

impl LimitSettings {
    /// The limit of places that one client address holds at once.
    #[must_use]
    pub const fn places_per_address(&self) -> PlacesPerAddress {
        PlacesPerAddress { places_max: self.places_per_address_max, share_max: self.places_per_address_share_max }
    }

    /// The limit of passwords that are hashed at once.
    #[must_use]
    pub const fn password_hashes(&self) -> BulkheadLimit {
        let (running, waiting) = (self.password_hashes_max, self.password_hashes_waiting_max);
        BulkheadLimit { name: "passwords", running_max: running, waiting_max: waiting }
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            (1..=128).contains(&self.ipv6_prefix_length),
            "limits.ipv6_prefix_length must be from 1 to 128"
        );
        anyhow::ensure!(self.places_per_address_max > 0, "limits.places_per_address_max must be at least 1");
        let share = self.places_per_address_share_max;
        anyhow::ensure!((0.0..=1.0).contains(&share), "limits.places_per_address_share_max must be from 0 to 1");
        Ok(())
    }
}
