//! Reading what the warm tier has that this node has not.
//!
//! Never answers from an older state than it had. Several who need the same read share it: whoever finds the feed newer than it was takes that.

use std::sync::Arc;

use tokio::time::{Instant, sleep, timeout};
use voelgoed_app::error::{Dependency, Error, Fault, Result};
use voelgoed_app::ticketing::ports::{Answer, InventoryError};
use voelgoed_domain::ticketing::inventory::CatchUp;
use voelgoed_domain::ticketing::place::Position;

use super::Fanout;
use super::feed::Feed;
use crate::snapshot::AvailabilityView;

impl Fanout {
    /// Brings an event's view up to the warm tier's newest state, loading the event there if need be.
    pub(super) async fn refresh(&self, feed: &Feed) -> Result<Arc<AvailabilityView>> {
        let asked = feed.position();
        let mut pending = feed.pending.lock().await;
        if let Some(view) = feed.view()
            && Some(view.position()) > asked
        {
            return Ok(view);
        }
        let news = match self.news(feed).await {
            Err(InventoryError::Unloaded) => {
                self.loader.load(feed.scope).await?;
                self.news(feed).await
            }
            answer => answer,
        };
        let news = news.map_err(|error| match error {
            InventoryError::Unloaded => {
                Error::Fault(Fault::away(Dependency::Warm, "the event was unloaded again at once"))
            }
            InventoryError::Refused(refusal) => Error::Refused(refusal),
            InventoryError::Fault(fault) => Error::Fault(fault),
        })?;
        let view = feed.fold(&mut pending, news, self.environment.now());
        view.ok_or_else(|| Error::Fault(Fault::internal("changes of an event that was never read")))
    }

    async fn news(&self, feed: &Feed) -> Answer<CatchUp> {
        match feed.position() {
            Some(position) => self.store.changes_since(feed.scope, position).await,
            None => self.store.snapshot(feed.scope).await.map(CatchUp::Snapshot),
        }
    }

    /// Waits until this node has seen `since`, which may come from a node that is ahead; false where it does not in time.
    pub(super) async fn caught_up(&self, feed: &Feed, since: Position) -> bool {
        let deadline = Instant::now() + self.limits.catch_up;
        while feed.position() < Some(since) {
            let left = deadline.saturating_duration_since(Instant::now());
            let refreshed = timeout(left, self.refresh(feed)).await;
            if feed.position() >= Some(since) {
                return true;
            }
            if left.is_zero() || refreshed.is_err() {
                return false;
            }
            sleep(self.limits.tick.min(left)).await;
        }
        true
    }
}
