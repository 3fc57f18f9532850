//! Implements the analytics store: counts collected by nodes, and a funnel of those, of orders and of entries, read from a replica where there is one.
//!
//! Never: a figure that decides a sale.

mod add;
mod funnel;

use async_trait::async_trait;
use voelgoed_app::analytics::ports::{AnalyticsStore, FunnelMinute, StepCountEntry};
use voelgoed_app::error::StoreResult;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::Cold;

#[async_trait]
impl AnalyticsStore for Cold {
    async fn add_counts(&self, scope: EventScope, counted: &[StepCountEntry]) -> StoreResult<()> {
        Ok(add::add(&self.db, scope, counted).await?)
    }

    async fn funnel(
        &self,
        organization: OrganizationId,
        event: EventId,
        from: Timestamp,
        to: Timestamp,
    ) -> StoreResult<Vec<FunnelMinute>> {
        Ok(funnel::funnel(&self.reports, organization, event, from, to).await?)
    }
}
