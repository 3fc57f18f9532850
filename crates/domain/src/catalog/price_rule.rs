//! A change of price under a condition: a promo code, a time window, some ticket types.
//!
//! Never: a rule that raises a price or takes it below zero. To add an effect: a variant, its line in [`PriceEffect::apply`], its rows in `tests`.

use serde::{Deserialize, Serialize};

use super::bounds::WHOLE;
use super::rounding::Rounding;
use crate::ids::{EventId, PriceRuleId, TicketTypeId};
use crate::text::code_key;
use crate::time::Timestamp;

mod draft;
#[cfg(test)]
mod tests;

pub use draft::{CODE_MAX, CODE_USES_MAX, PriceRuleDraft};

/// A change of price under a condition; at most one rule applies to a ticket, the one best for the buyer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceRule {
    /// Its identifier.
    pub id: PriceRuleId,
    /// For which event.
    pub event: EventId,
    /// What the buyer types, compared by [`code_key`]; none means that it applies by itself.
    pub code: Option<String>,
    /// For these ticket types; empty means all.
    #[serde(default)]
    pub ticket_types: Vec<TicketTypeId>,
    /// What it does to the price.
    pub effect: PriceEffect,
    /// From this moment, where given.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// Until this moment, exclusive, where given.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
    /// Of a code: how many orders may use it.
    #[serde(default)]
    pub uses_max: Option<u32>,
    /// Of a code: how many orders of one buyer may use it.
    #[serde(default)]
    pub uses_per_buyer_max: Option<u32>,
}

/// What a rule does to a price; never below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceEffect {
    /// Hundredths of a percent less, rounded half up in the buyer's favour on the discount.
    BasisPointsOff(u32),
    /// Minor units less.
    AmountOff(i64),
    /// This price, in minor units, where it is lower.
    Price(i64),
}

impl PriceEffect {
    /// The price that results from `price` (minor units, not negative): never higher, never below zero.
    #[must_use]
    pub fn apply(self, price: i64) -> i64 {
        let lowered = match self {
            Self::BasisPointsOff(points) => price.saturating_sub(Rounding::HalfUp.share(price, points, WHOLE)),
            Self::AmountOff(amount) => price.saturating_sub(amount),
            Self::Price(amount) => amount,
        };
        lowered.clamp(0, price.max(0))
    }
}

impl PriceRule {
    /// True within the rule's time window, where it has one.
    #[must_use]
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.starts_at.is_none_or(|start| start <= now) && self.ends_at.is_none_or(|end| now < end)
    }

    /// True where `code` is the rule's own as people read it: whatever its case, blanks, invisible characters and characters that look the same; false
    /// for a rule without a code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_ref().is_some_and(|own| code_key(own) == code_key(code))
    }

    /// True where it is meant for this ticket type.
    #[must_use]
    pub fn covers(&self, ticket_type: TicketTypeId) -> bool {
        self.ticket_types.is_empty() || self.ticket_types.contains(&ticket_type)
    }
}
