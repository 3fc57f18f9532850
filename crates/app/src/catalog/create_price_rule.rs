//! Creates a price rule: a change of prices under a condition, such as a promo code.

use voelgoed_domain::catalog::price_rule::{PriceRule, PriceRuleDraft};
use voelgoed_domain::ids::TicketTypeId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::text::looks_alike;

use super::Catalog;
use crate::accounts::audit;
use crate::error::CommandResult;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::ticketing::ports::EventScope;

impl Catalog {
    /// Writes the rule.
    ///
    /// # Errors
    /// `invalid_request` with the field, `already_exists` (code), `not_found` (event).
    pub async fn create_price_rule(
        &self,
        scope: EventScope,
        draft: PriceRuleDraft,
        idempotent: Option<Idempotent<'_, PriceRule>>,
    ) -> CommandResult<Created<PriceRule>> {
        let now = self.context.now();
        let listing = self.listings.listing(scope).await?;
        let known: Vec<TicketTypeId> = listing.ticket_types.iter().map(|ticket_type| ticket_type.id).collect();
        let rule = draft.check(self.context.new_id(), scope.event, &known)?;
        audit::set_subject(rule.id);
        let record = record_of(idempotent.as_ref(), &rule, now)?;
        // With a key the request may be a repeat, which the commit recognises; this check would find the rule that its first attempt wrote.
        if record.is_none() {
            refuse_look_alike(&listing.price_rules, &rule)?;
        }
        let created = self.store.create_price_rule(scope.organization, rule.clone(), now, record).await??;
        self.listings.revalidate(scope.organization, scope.event);
        Ok(created.map(|()| rule))
    }
}

/// Refuses codes that look the same in capitals; the commit refuses equal codes.
fn refuse_look_alike(existing: &[PriceRule], rule: &PriceRule) -> CommandResult<()> {
    let Some(code) = &rule.code else { return Ok(()) };
    let similar = existing.iter().filter_map(|rule| rule.code.as_ref()).find(|other| looks_alike(other, code));
    match similar {
        None => Ok(()),
        Some(similar) => {
            let detail = format!("The code `{similar}` of this event looks the same to a buyer.");
            Err(Refusal::new(Code::AlreadyExists, detail).with(|evidence| evidence.field = Some("code".into())).into())
        }
    }
}
