//! An organizer changes prices under a condition, e.g. a promo code.

use voelgoed_domain::catalog::price_rule::{PriceRule, PriceRuleDraft};
use voelgoed_domain::ids::TicketTypeId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::text::looks_alike;

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
    // A repeat is recognised in the commit, before its own first try would be found here.
    if record.is_none() {
        refuse_look_alike(&listing.price_rules, &rule)?;
    }
    let created = platform.catalog.create_price_rule(scope.organization, rule.clone(), now, record).await??;
    platform.listings.changed(scope.organization, scope.event);
    Ok(created.map(|()| rule))
}

/// The commit refuses equal codes; codes that differ only in what they look like in capitals are refused here.
fn refuse_look_alike(known: &[PriceRule], rule: &PriceRule) -> Result<()> {
    let Some(code) = &rule.code else { return Ok(()) };
    let alike = known.iter().filter_map(|known| known.code.as_ref()).find(|known| looks_alike(known, code));
    match alike {
        None => Ok(()),
        Some(alike) => {
            let detail = format!("The code `{alike}` of this event looks the same to a buyer.");
            Err(Refusal::new(Code::AlreadyExists, detail).with(|evidence| evidence.field = Some("code".into())).into())
        }
    }
}
