//! Reads the changes that the warm tier has and this node lacks, and merges them into the event's view.
//!
//! Never: a view older than the one before. Concurrent refreshes share one read: a caller that waited and finds a newer view returns that view.

use std::sync::Arc;

use tokio::time::{Instant, sleep, timeout};
use voelgoed_app::error::{CommandError, CommandResult, Fault};
use voelgoed_app::ticketing::load_event::load_and_retry;
use voelgoed_app::ticketing::ports::InventoryResult;
use voelgoed_domain::ticketing::inventory::CatchUp;
use voelgoed_domain::ticketing::place::Position;

use super::Fanout;
use super::feed::Feed;
use crate::availability_view::AvailabilityView;

impl Fanout {
    /// Brings the view of an event up to the warm tier's newest position; loads the event into the warm tier if it is unloaded.
    pub(super) async fn refresh(&self, feed: &Feed) -> CommandResult<Arc<AvailabilityView>> {
        let before = feed.position();
        let mut pending = feed.pending.lock().await;
        if let Some(view) = feed.view()
            && Some(view.position()) > before
        {
            return Ok(view);
        }
        let changes = load_and_retry(&*self.loader, feed.scope, || self.read_changes(feed)).await?;
        let view = feed.merge(&mut pending, changes, self.environment.now());
        view.ok_or_else(|| CommandError::Fault(Fault::internal("changes of an event that was never read")))
    }

    async fn read_changes(&self, feed: &Feed) -> InventoryResult<CatchUp> {
        match feed.position() {
            Some(position) => self.store.changes_since(feed.scope, position).await,
            None => self.store.snapshot(feed.scope).await.map(CatchUp::Snapshot),
        }
    }

    /// Waits until this node's view reaches `since`, a position that may come from a node ahead; false on timeout.
    pub(super) async fn caught_up(&self, feed: &Feed, since: Position) -> bool {
        let deadline = Instant::now() + self.limits.catch_up_timeout;
        while feed.position() < Some(since) {
            let left = deadline.saturating_duration_since(Instant::now());
            let refreshed = timeout(left, self.refresh(feed)).await;
            if feed.position() >= Some(since) {
                return true;
            }
            if left.is_zero() || refreshed.is_err() {
                return false;
            }
            sleep(self.limits.tick_min.min(left)).await;
        }
        true
    }
}
