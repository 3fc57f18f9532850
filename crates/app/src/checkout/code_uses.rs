//! Checks how often a promo code was used before a hold is granted, so that a buyer does not fill in an order that cold will refuse.

use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::SessionId;

use super::order_limits::{CountLimit, code_limits, session_key};
use super::ports::OrderStore;
use crate::error::CommandResult;
use crate::ticketing::ports::{CodeUses, EventScope};

/// Reads how often codes were used.
pub struct CodeUseCounts {
    /// Orders in the cold tier.
    pub orders: Arc<dyn OrderStore>,
}

#[async_trait]
impl CodeUses for CodeUseCounts {
    async fn check_uses(
        &self,
        scope: EventScope,
        listing: &Listing,
        session: SessionId,
        code: Option<&str>,
    ) -> CommandResult<()> {
        let rule = code.and_then(|code| listing.price_rules.iter().find(|rule| rule.matches_code(code)));
        let limits = rule.map(|rule| code_limits(rule, &[session_key(session)])).unwrap_or_default();
        if limits.is_empty() {
            return Ok(());
        }
        let keys = limits.iter().map(|limit| limit.key.clone()).collect();
        // Holds go on while cold does not answer; the order's commit decides.
        let Ok(counts) = self.orders.counts(scope.organization, scope.event, keys).await else { return Ok(()) };
        let reached =
            |limit: &&CountLimit| counts.get(&limit.key).is_some_and(|count| *count >= u64::from(limit.count_max));
        match limits.iter().find(reached) {
            Some(limit) => Err(limit.refusal().into()),
            None => Ok(()),
        }
    }
}
