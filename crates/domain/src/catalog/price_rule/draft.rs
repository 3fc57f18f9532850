//! Checks the draft of a price rule against the ticket types of its event and turns it into a [`PriceRule`].
//!
//! Never: a code that a buyer could not type. To add a field: here, its check, and its row in `tests`.

use serde::{Deserialize, Serialize};

use super::{PriceEffect, PriceRule};
use crate::catalog::number_ranges::{check_amount, check_basis_points, check_range};
use crate::ids::{EventId, PriceRuleId, TicketTypeId};
use crate::refusal::Refusal;
use crate::text::{promo_code_key, single_line};
use crate::time::Timestamp;

/// Characters of a promo code.
pub const PROMO_CODE_CHARS_MAX: usize = 40;
/// Uses that may be allowed for one code.
pub const PROMO_CODE_USES_MAX: u32 = 10_000_000;

/// The request to create a price rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceRuleDraft {
    /// Promo code; `None` means that the rule applies without a code.
    #[serde(default)]
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
    /// Orders that may use the code.
    #[serde(default)]
    pub uses_max: Option<u32>,
    /// Orders of one buyer that may use the code.
    #[serde(default)]
    pub uses_per_buyer_max: Option<u32>,
}

impl PriceRuleDraft {
    /// The checked rule of `event`, whose ticket types are `known`.
    ///
    /// # Errors
    /// `invalid_request` with the field.
    pub fn check(self, id: PriceRuleId, event: EventId, known: &[TicketTypeId]) -> Result<PriceRule, Refusal> {
        let code = self.code.map(|code| single_line("code", &code, PROMO_CODE_CHARS_MAX)).transpose()?;
        if code.as_ref().is_some_and(|code| promo_code_key(code).is_empty()) {
            return Err(Refusal::invalid("code", "Must not be empty."));
        }
        if code.as_ref().is_some_and(|code| code.contains(char::is_whitespace)) {
            return Err(Refusal::invalid("code", "Must not contain spaces."));
        }
        for (at, ticket_type) in self.ticket_types.iter().enumerate() {
            if !known.contains(ticket_type) {
                return Err(Refusal::invalid(format!("ticket_types[{at}]"), "The event has no such ticket type."));
            }
        }
        match self.effect {
            PriceEffect::BasisPointsOff(points) => check_basis_points("effect.basis_points_off", points).map(drop)?,
            PriceEffect::AmountOff(minor) => check_amount("effect.amount_off", minor).map(drop)?,
            PriceEffect::Price(minor) => check_amount("effect.price", minor).map(drop)?,
        }
        if let (Some(start), Some(end)) = (self.starts_at, self.ends_at)
            && end <= start
        {
            return Err(Refusal::invalid("ends_at", "Must be later than `starts_at`."));
        }
        for (field, uses) in [("uses_max", self.uses_max), ("uses_per_buyer_max", self.uses_per_buyer_max)] {
            let Some(uses) = uses else { continue };
            check_range(field, uses, 1, PROMO_CODE_USES_MAX)?;
            if code.is_none() {
                return Err(Refusal::invalid(
                    field,
                    "Only a rule with a code can limit its uses. Give a `code`, or leave this out.",
                ));
            }
        }
        Ok(PriceRule {
            id,
            event,
            code,
            ticket_types: self.ticket_types,
            effect: self.effect,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            uses_max: self.uses_max,
            uses_per_buyer_max: self.uses_per_buyer_max,
        })
    }
}
