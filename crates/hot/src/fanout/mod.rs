//! Streams the availability changes of events to this node's viewers: merged per place, encoded once per tick, the same bytes for every viewer.
//!
//! Never: a task, timer or queue per viewer; a single place of general admission; a gap between frames (a viewer that missed a frame gets a snapshot).
//! Each node follows the warm log on its own: subscribe, then read, then merge. To add a kind of frame: a function in `frame`, and its condition in
//! `viewer`.

mod feed;
mod frame;
mod frame_ring;
mod presence;
mod refresh;
mod seat_view;
#[cfg(test)]
mod tests;
mod tick_loop;
mod viewer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dashmap::DashMap;
use futures::Stream;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::CommandResult;
use voelgoed_app::ticketing::load_event::LoadEvent;
use voelgoed_app::ticketing::ports::{EventScope, InventoryStore};
use voelgoed_domain::refusal::{Code, LimitHit, Refusal};
use voelgoed_domain::ticketing::place::Position;
use voelgoed_telemetry::metrics::hot_availability::{SnapshotRead, snapshot_read};

use self::feed::Feed;
use self::tick_loop::READ_TIMEOUT;
use self::viewer::Viewer;
use crate::availability_view::AvailabilityView;

/// The intervals, timeouts and limits of the fan-out.
#[derive(Debug, Clone, Copy)]
pub struct FanoutLimits {
    /// The shortest interval between two frames of an event.
    pub tick_min: Duration,
    /// The longest interval, regardless of the number of viewers.
    pub tick_max: Duration,
    /// The estimated cost of one frame to one viewer; the tick grows with it, so that sending stays under half a core.
    pub cost_per_viewer: Duration,
    /// The interval of keep-alive comments to viewers, by which dead connections are detected.
    pub keep_alive_interval: Duration,
    /// How long a viewer that comes from a node ahead waits for this node to catch up, before it gets the view at hand.
    pub catch_up_timeout: Duration,
    /// An event without viewers and reads for this time is no longer followed.
    pub idle_timeout: Duration,
    /// Viewers of this node.
    pub viewers_max: usize,
    /// Events that this node follows at once; beyond that number the unwatched event with the oldest read is evicted.
    pub events_max: usize,
}

impl Default for FanoutLimits {
    fn default() -> Self {
        Self {
            tick_min: Duration::from_millis(50),
            tick_max: Duration::from_secs(2),
            cost_per_viewer: Duration::from_micros(8),
            keep_alive_interval: Duration::from_secs(15),
            catch_up_timeout: Duration::from_secs(2),
            idle_timeout: Duration::from_secs(600),
            viewers_max: 50_000,
            events_max: 4096,
        }
    }
}

/// This node's fan-out. [`Fanout::run`] must run for views to follow the warm tier.
pub struct Fanout {
    store: Arc<dyn InventoryStore>,
    loader: Arc<dyn LoadEvent>,
    environment: Arc<dyn Environment>,
    limits: FanoutLimits,
    feeds: DashMap<EventScope, Arc<Feed>>,
    viewers: Arc<AtomicUsize>,
    closed: AtomicBool,
}

impl Fanout {
    /// A fan-out that follows no event yet.
    #[must_use]
    pub fn new(
        store: Arc<dyn InventoryStore>,
        loader: Arc<dyn LoadEvent>,
        environment: Arc<dyn Environment>,
        limits: FanoutLimits,
    ) -> Self {
        Self {
            store,
            loader,
            environment,
            limits,
            feeds: DashMap::new(),
            viewers: Arc::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// The newest view of an event on this node; the first one is read from the warm tier.
    ///
    /// # Errors
    /// `not_found`, `overloaded`, or the fault of the warm tier if there is no view yet.
    pub async fn availability(&self, scope: EventScope) -> CommandResult<Arc<AvailabilityView>> {
        let (feed, was_idle) = self.used_feed(scope)?;
        let (view, result) = match feed.view() {
            Some(view) if was_idle => (self.refreshed_or_cached(&feed, view).await, SnapshotRead::Hit),
            Some(view) => (view, SnapshotRead::Hit),
            None => (self.refresh(&feed).await?, SnapshotRead::Miss),
        };
        let now = self.environment.now();
        let result = if view.is_stale(now) { SnapshotRead::Stale } else { result };
        snapshot_read(result, Some(now.since(view.at())));
        Ok(view)
    }

    /// The frames for one viewer, as server-sent events: from `since` on without a gap, or from a snapshot.
    /// The stream ends when the event or this node ends; dropping it unsubscribes.
    ///
    /// # Errors
    /// Those of [`Fanout::availability`].
    pub async fn subscribe(
        &self,
        scope: EventScope,
        since: Option<Position>,
    ) -> CommandResult<impl Stream<Item = Bytes> + Send + 'static + use<>> {
        if self.viewers.load(Ordering::Relaxed) >= self.limits.viewers_max {
            let limit = LimitHit { name: "viewers", most: self.limits.viewers_max as u64 };
            return Err(overloaded().with(|evidence| evidence.limit = Some(limit)).into());
        }
        let (feed, was_idle) = self.used_feed(scope)?;
        match feed.view() {
            Some(view) if was_idle => drop(self.refreshed_or_cached(&feed, view).await),
            Some(_) => {}
            None => drop(self.refresh(&feed).await?),
        }
        let start = match since {
            Some(since) if self.caught_up(&feed, since).await => Some(since),
            Some(_) | None => None,
        };
        Ok(Viewer::new(feed, &self.viewers, start).frames())
    }

    /// Viewers of an event on this node.
    #[must_use]
    pub fn viewers(&self, scope: EventScope) -> usize {
        self.feeds.get(&scope).map_or(0, |feed| feed.viewers())
    }

    /// Viewers of all events on this node.
    #[must_use]
    pub fn all_viewers(&self) -> usize {
        self.viewers.load(Ordering::Relaxed)
    }

    /// The events with viewers on this node.
    #[must_use]
    pub fn watched_events(&self) -> Vec<EventScope> {
        self.feeds.iter().filter(|feed| feed.viewers() > 0).map(|feed| *feed.key()).collect()
    }

    /// Sends the last frame to the viewers of an event and ends their streams.
    pub async fn end(&self, scope: EventScope) {
        let feed = self.feeds.get(&scope).map(|feed| Arc::clone(feed.value()));
        if let Some(feed) = feed {
            feed.end().await;
        }
    }

    /// Refreshes the view of an idle event; returns the cached view if the warm tier does not answer in time.
    async fn refreshed_or_cached(&self, feed: &Feed, view: Arc<AvailabilityView>) -> Arc<AvailabilityView> {
        match tokio::time::timeout(READ_TIMEOUT, self.refresh(feed)).await {
            Ok(Ok(newer)) => newer,
            Ok(Err(_)) | Err(_) => view,
        }
    }

    fn feed(&self, scope: EventScope) -> CommandResult<Arc<Feed>> {
        self.used_feed(scope).map(|(feed, _)| feed)
    }

    /// The feed of an event, registered before the first read so that no signal is lost, and whether the feed was idle.
    fn used_feed(&self, scope: EventScope) -> CommandResult<(Arc<Feed>, bool)> {
        let now = self.environment.now();
        let known = self.feeds.get(&scope).map(|feed| Arc::clone(feed.value()));
        let feed = match known {
            Some(feed) => feed,
            None if self.closed.load(Ordering::Relaxed)
                || self.feeds.len() >= self.limits.events_max && !self.evict_one() =>
            {
                return Err(overloaded().into());
            }
            None => {
                let new = || Arc::new(Feed::new(scope, Arc::clone(&self.environment)));
                Arc::clone(self.feeds.entry(scope).or_insert_with(new).value())
            }
        };
        let was_idle = !feed.is_in_use(now);
        feed.used(now);
        Ok((feed, was_idle))
    }

    /// Evicts the unwatched event with the oldest read; false if all are watched.
    fn evict_one(&self) -> bool {
        // A further reference means that a request is about to use the feed.
        let is_unwatched = |feed: &Arc<Feed>| feed.viewers() == 0 && Arc::strong_count(feed) == 1;
        let candidates = self.feeds.iter().filter(|feed| is_unwatched(feed.value()));
        let oldest = candidates.min_by_key(|feed| feed.last_used()).map(|feed| *feed.key());
        oldest.is_some_and(|scope| self.feeds.remove_if(&scope, |_, feed| is_unwatched(feed)).is_some())
    }
}

fn overloaded() -> Refusal {
    Refusal::new(Code::Overloaded, "Too many are watching here. Try again in a moment.")
        .with(|evidence| evidence.retry_after = Some(1))
}
