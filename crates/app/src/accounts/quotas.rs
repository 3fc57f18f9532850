//! Defines the quotas of an organization, which the operator sets and stores check at each creation.

use serde::Deserialize;

/// The settings `[quotas]`; a creation above one is refused as `quota_reached` with the quota's name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// Members, disabled ones included.
    pub members_max: u64,
    /// API keys that are not revoked.
    pub api_keys_max: u64,
    /// Devices that are not revoked.
    pub devices_max: u64,
    /// Events, drafts and closed ones included.
    pub events_max: u64,
    /// Versions of seating plans.
    pub layouts_max: u64,
    /// Places in all seating plans.
    pub seats_max: u64,
    /// Venues.
    pub venues_max: u64,
    /// Ticket types of one event.
    pub ticket_types_per_event_max: u64,
    /// Price rules of one event, promo codes included.
    pub price_rules_per_event_max: u64,
    /// Gates of one event.
    pub gates_per_event_max: u64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            members_max: 1_000,
            api_keys_max: 1_000,
            devices_max: 10_000,
            events_max: 20_000,
            layouts_max: 5_000,
            seats_max: 10_000_000,
            venues_max: 5_000,
            ticket_types_per_event_max: 1_000,
            price_rules_per_event_max: 20_000,
            gates_per_event_max: 1_000,
        }
    }
}
