//! An organizer changes prices under a condition, e.g. a promo code.

use voelgoed_domain::catalog::price_rule::{PriceRule, PriceRuleDraft};
use voelgoed_domain::ids::TicketTypeId;

use crate::accounts::audit;
use crate::environment::fresh;
use crate::error::Result;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;

/// Writes the rule.
///
/// # Errors
/// `invalid_request` with the field, `already_exists` (code), `not_found` (event).
pub async fn create_price_rule(
    platform: &Platform,
    scope: EventScope,
    draft: PriceRuleDraft,
    idempotent: Option<Idempotent<'_, PriceRule>>,
) -> Result<Created<PriceRule>> {
    let now = platform.environment.now();
    let listing = platform.listings.listing(scope).await?;
    let known: Vec<TicketTypeId> = listing.ticket_types.iter().map(|ticket_type| ticket_type.id).collect();
    let rule = draft.check(fresh(&*platform.environment), scope.event, &known)?;
    audit::subject(rule.id);
    let record = record_of(idempotent.as_ref(), &rule, now)?;
    let created = platform.catalog.create_price_rule(scope.organization, rule.clone(), now, record).await??;
    platform.listings.changed(scope.organization, scope.event);
    Ok(created.map(|()| rule))
}
