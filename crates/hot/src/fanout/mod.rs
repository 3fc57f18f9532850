//! What changes in an event, told to everyone who watches it here: folded per place, encoded once per tick, the same bytes for every viewer.
//!
//! Never: a task, timer or queue per viewer, a place of general admission by itself, or a frame that leaves a hole (a viewer that missed something gets a
//! snapshot). Each node follows the warm log by itself: subscribe first, then read, then merge. To add a kind of frame: a function in `frame`, and when it is due in `viewer`.

mod feed;
mod follow;
mod frame;
mod presence;
mod refresh;
mod ring;
mod seat_view;
#[cfg(test)]
mod tests;
mod viewer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dashmap::DashMap;
use futures::Stream;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::Result;
use voelgoed_app::ticketing::ports::{EventScope, InventoryStore};
use voelgoed_domain::refusal::{Code, LimitHit, Refusal};
use voelgoed_domain::ticketing::place::Position;
use voelgoed_telemetry::metrics::realtime::{SnapshotRead, snapshot_read};

use self::feed::Feed;
use self::follow::READ_DEADLINE;
use self::viewer::Viewer;
use crate::snapshot::AvailabilityView;

/// Loads an event into the warm tier where that has lost it; the application knows how.
#[async_trait]
pub trait Loader: Send + Sync + 'static {
    /// Makes sure that the warm tier has the event.
    async fn load(&self, scope: EventScope) -> Result<()>;
}

/// The named times and limits of fan-out.
#[derive(Debug, Clone, Copy)]
pub struct FanoutLimits {
    /// The shortest distance between two frames of an event.
    pub tick: Duration,
    /// The longest, however many watch.
    pub longest_tick: Duration,
    /// What handing one frame to one viewer is reckoned to cost; the tick stretches so that all of it stays under half a core.
    pub cost_per_viewer: Duration,
    /// A sign of life goes to silent viewers this often, so that dead connections are noticed.
    pub keep_alive: Duration,
    /// How long a viewer from another node waits for this one to catch up, before it gets what there is.
    pub catch_up: Duration,
    /// An event that nobody watches or reads for so long is no longer followed.
    pub idle: Duration,
    /// The most viewers of this node.
    pub viewers: usize,
    /// The most events that this node follows at once; beyond it the one that was read longest ago and is not watched gives way.
    pub events: usize,
}

impl Default for FanoutLimits {
    fn default() -> Self {
        Self {
            tick: Duration::from_millis(50),
            longest_tick: Duration::from_secs(2),
            cost_per_viewer: Duration::from_micros(8),
            keep_alive: Duration::from_secs(15),
            catch_up: Duration::from_secs(2),
            idle: Duration::from_secs(600),
            viewers: 50_000,
            events: 4096,
        }
    }
}

/// This node's fan-out. [`Fanout::run`] must run for views to follow the warm tier.
pub struct Fanout {
    store: Arc<dyn InventoryStore>,
    loader: Arc<dyn Loader>,
    environment: Arc<dyn Environment>,
    limits: FanoutLimits,
    feeds: DashMap<EventScope, Arc<Feed>>,
    viewers: Arc<AtomicUsize>,
    closed: AtomicBool,
}

impl Fanout {
    /// A fan-out that follows nothing yet.
    #[must_use]
    pub fn new(
        store: Arc<dyn InventoryStore>,
        loader: Arc<dyn Loader>,
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

    /// The newest view that this node has of an event; the first one is read from the warm tier.
    ///
    /// # Errors
    /// `not_found`, `overloaded`, or the warm tier's fault where there is no view yet.
    pub async fn availability(&self, scope: EventScope) -> Result<Arc<AvailabilityView>> {
        let (feed, was_quiet) = self.used_feed(scope)?;
        let (view, result) = match feed.view() {
            Some(view) if was_quiet => (self.looked_at_again(&feed, view).await, SnapshotRead::Hit),
            Some(view) => (view, SnapshotRead::Hit),
            None => (self.refresh(&feed).await?, SnapshotRead::Miss),
        };
        let now = self.environment.now();
        let result = if view.is_stale(now) { SnapshotRead::Stale } else { result };
        snapshot_read(result, Some(now.since(view.at())));
        Ok(view)
    }

    /// The frames for one viewer, as server-sent events: from `since` on without a hole, or from a snapshot.
    /// Dropping the stream is leaving; it ends when the event does, or this node.
    ///
    /// # Errors
    /// Those of [`Fanout::availability`].
    pub async fn subscribe(
        &self,
        scope: EventScope,
        since: Option<Position>,
    ) -> Result<impl Stream<Item = Bytes> + Send + 'static + use<>> {
        if self.viewers.load(Ordering::Relaxed) >= self.limits.viewers {
            let limit = LimitHit { name: "viewers", most: self.limits.viewers as u64 };
            return Err(overloaded().with(|evidence| evidence.limit = Some(limit)).into());
        }
        let (feed, was_quiet) = self.used_feed(scope)?;
        match feed.view() {
            Some(view) if was_quiet => drop(self.looked_at_again(&feed, view).await),
            Some(_) => {}
            None => drop(self.refresh(&feed).await?),
        }
        let start = match since {
            Some(since) if self.caught_up(&feed, since).await => Some(since),
            Some(_) | None => None,
        };
        Ok(Viewer::new(feed, &self.viewers, start).frames())
    }

    /// How many watch an event on this node.
    #[must_use]
    pub fn viewers(&self, scope: EventScope) -> usize {
        self.feeds.get(&scope).map_or(0, |feed| feed.viewers())
    }

    /// How many watch anything on this node.
    #[must_use]
    pub fn all_viewers(&self) -> usize {
        self.viewers.load(Ordering::Relaxed)
    }

    /// The events that somebody watches on this node.
    #[must_use]
    pub fn watched_events(&self) -> Vec<EventScope> {
        self.feeds.iter().filter(|feed| feed.viewers() > 0).map(|feed| *feed.key()).collect()
    }

    /// Tells the viewers of an event that it is over, and lets them go.
    pub async fn end(&self, scope: EventScope) {
        let feed = self.feeds.get(&scope).map(|feed| Arc::clone(feed.value()));
        if let Some(feed) = feed {
            feed.end().await;
        }
    }

    /// A view that was not looked after for a while, brought up to date where the warm tier answers.
    async fn looked_at_again(&self, feed: &Feed, view: Arc<AvailabilityView>) -> Arc<AvailabilityView> {
        match tokio::time::timeout(READ_DEADLINE, self.refresh(feed)).await {
            Ok(Ok(newer)) => newer,
            Ok(Err(_)) | Err(_) => view,
        }
    }

    fn feed(&self, scope: EventScope) -> Result<Arc<Feed>> {
        self.used_feed(scope).map(|(feed, _)| feed)
    }

    /// What this node keeps of an event, registered before anything is read, so that no signal falls between; and whether nobody used it for a while.
    fn used_feed(&self, scope: EventScope) -> Result<(Arc<Feed>, bool)> {
        let now = self.environment.now();
        let known = self.feeds.get(&scope).map(|feed| Arc::clone(feed.value()));
        let feed = match known {
            Some(feed) => feed,
            None if self.closed.load(Ordering::Relaxed)
                || self.feeds.len() >= self.limits.events && !self.evict_one() =>
            {
                return Err(overloaded().into());
            }
            None => {
                let new = || Arc::new(Feed::new(scope, Arc::clone(&self.environment)));
                Arc::clone(self.feeds.entry(scope).or_insert_with(new).value())
            }
        };
        let was_quiet = !feed.is_in_use(now);
        feed.used(now);
        Ok((feed, was_quiet))
    }
}

impl Fanout {
    /// Lets go of the event that nobody watches and that was read longest ago; false where all are watched.
    fn evict_one(&self) -> bool {
        // Whoever still holds a feed will use it.
        let unwatched = |feed: &Arc<Feed>| feed.viewers() == 0 && Arc::strong_count(feed) == 1;
        let candidates = self.feeds.iter().filter(|feed| unwatched(feed.value()));
        let oldest = candidates.min_by_key(|feed| feed.last_used()).map(|feed| *feed.key());
        oldest.is_some_and(|scope| self.feeds.remove_if(&scope, |_, feed| unwatched(feed)).is_some())
    }
}

fn overloaded() -> Refusal {
    Refusal::new(Code::Overloaded, "Too many are watching here. Try again in a moment.")
        .with(|evidence| evidence.retry_after = Some(1))
}
