//! The figures of a sale: what nodes counted, and what orders and entries tell by themselves.
//!
//! Never: read where a sale is decided. Reports are read on a replica that is near enough, where there is one.

mod add;
mod funnel;

use async_trait::async_trait;
use voelgoed_app::analytics::ports::{AnalyticsStore, Counted, Minute};
use voelgoed_app::error::StoreResult;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::Cold;

#[async_trait]
impl AnalyticsStore for Cold {
    async fn add_counts(&self, scope: EventScope, counted: &[Counted]) -> StoreResult<()> {
        Ok(add::add(&self.db, scope, counted).await?)
    }

    async fn funnel(
        &self,
        organization: OrganizationId,
        event: EventId,
        from: Timestamp,
        to: Timestamp,
    ) -> StoreResult<Vec<Minute>> {
        Ok(funnel::funnel(&self.reports, organization, event, from, to).await?)
    }
}
