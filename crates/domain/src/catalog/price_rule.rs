//! Defines price rules, which lower a price under a condition: a promo code, a time window, some ticket types.
//!
//! Never: a rule that raises a price or lowers it below zero. To add an effect: a variant, its line in [`PriceEffect::apply`], its rows in `tests`.

use serde::{Deserialize, Serialize};

use super::number_ranges::BASIS_POINTS_WHOLE;
use super::rounding::Rounding;
use crate::ids::{EventId, PriceRuleId, TicketTypeId};
use crate::text::promo_code_key;
use crate::time::Timestamp;

mod draft;
#[cfg(test)]
mod tests;

pub use draft::{PROMO_CODE_CHARS_MAX, PROMO_CODE_USES_MAX, PriceRuleDraft};

/// A lower price under a condition. At most one rule applies to a ticket: the one with the lowest price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceRule {
    /// Unique identifier.
    pub id: PriceRuleId,
    /// The event of the rule.
    pub event: EventId,
    /// Promo code, compared by [`promo_code_key`]; `None` means that the rule applies without a code.
    pub code: Option<String>,
    /// Ticket types with the lower price; empty means all.
    #[serde(default)]
    pub ticket_types: Vec<TicketTypeId>,
    /// The change of the price.
    pub effect: PriceEffect,
    /// Start of the time window, inclusive.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// End of the time window, exclusive.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
    /// Orders that may use the code; only for a rule with a code.
    #[serde(default)]
    pub uses_max: Option<u32>,
    /// Orders of one buyer that may use the code; only for a rule with a code.
    #[serde(default)]
    pub uses_per_buyer_max: Option<u32>,
}

/// The change of a price by a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceEffect {
    /// A discount in basis points; the discount is rounded half up.
    BasisPointsOff(u32),
    /// A discount in minor units.
    AmountOff(i64),
    /// A fixed price in minor units, where it is lower.
    Price(i64),
}

impl PriceEffect {
    /// Applies the effect to `price` (minor units, not negative); the result is between 0 and `price`.
    #[must_use]
    pub fn apply(self, price: i64) -> i64 {
        let lowered = match self {
            Self::BasisPointsOff(points) => {
                price.saturating_sub(Rounding::HalfUp.share(price, points, BASIS_POINTS_WHOLE))
            }
            Self::AmountOff(amount) => price.saturating_sub(amount),
            Self::Price(amount) => amount,
        };
        lowered.clamp(0, price.max(0))
    }
}

impl PriceRule {
    /// True within the time window of the rule, or where it has none.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.starts_at.is_none_or(|start| start <= now) && self.ends_at.is_none_or(|end| now < end)
    }

    /// True where `code` has the same [`promo_code_key`] as the code of the rule; false for a rule without a code.
    #[must_use]
    pub fn matches_code(&self, code: &str) -> bool {
        self.code.as_ref().is_some_and(|own| promo_code_key(own) == promo_code_key(code))
    }

    /// True where the rule applies to this ticket type.
    #[must_use]
    pub fn covers(&self, ticket_type: TicketTypeId) -> bool {
        self.ticket_types.is_empty() || self.ticket_types.contains(&ticket_type)
    }
}
