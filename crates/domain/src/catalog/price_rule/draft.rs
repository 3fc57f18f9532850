//! A price rule as an organizer gives it, checked against its event's ticket types.
//!
//! Never: a code that a buyer could not type. To add a field: here, its check, and its row in `tests`.

use serde::{Deserialize, Serialize};

use super::{PriceEffect, PriceRule};
use crate::catalog::bounds::{amount, basis_points, within};
use crate::catalog::wording::worded;
use crate::ids::{EventId, PriceRuleId, TicketTypeId};
use crate::refusal::Refusal;
use crate::text::code_key;
use crate::time::Timestamp;

/// Characters of a promo code.
pub const CODE_MAX: usize = 40;
/// The largest number of uses of a code.
pub const CODE_USES_MAX: u32 = 10_000_000;

/// What an organizer gives to make a price rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceRuleDraft {
    /// What the buyer types; none means that it applies by itself.
    #[serde(default)]
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

impl PriceRuleDraft {
    /// The rule of `event`, whose ticket types are `known`.
    ///
    /// # Errors
    /// `invalid_request` naming the field.
    pub fn check(self, id: PriceRuleId, event: EventId, known: &[TicketTypeId]) -> Result<PriceRule, Refusal> {
        let code = self.code.map(|code| worded("code", &code, CODE_MAX)).transpose()?;
        if code.as_ref().is_some_and(|code| code_key(code).is_empty()) {
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
            PriceEffect::BasisPointsOff(points) => basis_points("effect.basis_points_off", points).map(drop)?,
            PriceEffect::AmountOff(minor) => amount("effect.amount_off", minor).map(drop)?,
            PriceEffect::Price(minor) => amount("effect.price", minor).map(drop)?,
        }
        if let (Some(start), Some(end)) = (self.starts_at, self.ends_at)
            && end <= start
        {
            return Err(Refusal::invalid("ends_at", "Must be later than `starts_at`."));
        }
        for (field, uses) in [("uses_max", self.uses_max), ("uses_per_buyer_max", self.uses_per_buyer_max)] {
            let Some(uses) = uses else { continue };
            within(field, uses, 1, CODE_USES_MAX)?;
            if code.is_none() {
                return Err(Refusal::invalid(field, "Only a rule with a code has a number of uses."));
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
