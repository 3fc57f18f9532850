//! The one task of the fan-out: receives the warm tier's signals, and per tick reads and publishes every event that changed.
//!
//! Never: more than half a core; the interval of the next tick grows with the cost of the last one, including the cost of sending to viewers.
//! A lost signal delays a change by at most [`POLL_INTERVAL`], because every event in use is polled; polling also detects that the warm tier is silent
//! (P10). An idle event is not polled; its next read refreshes the view first.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use voelgoed_app::ticketing::ports::InventorySignal;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::hot_availability::{FrameKind, fanout_tick, frame_sent, propagated};

use super::Fanout;
use super::feed::{Feed, PublishedFrame};

/// The interval at which every event in use is read, with or without a signal.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Events read at once.
const READS_MAX: usize = 16;
/// The timeout of one event's read, so that a slow event does not delay the others.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(2);

impl Fanout {
    /// Follows the warm tier until `stop`, then ends all streams so that the server can drain.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        let mut moved = self.store.subscribe();
        let mut poll = interval(POLL_INTERVAL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_tick = Instant::now();
        let mut next_keep_alive = Instant::now() + self.limits.keep_alive_interval;
        let mut has_marked = true;
        tokio::pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = sleep_until(next_tick), if has_marked => {
                    has_marked = false;
                    self.drain(&mut moved);
                    next_tick = Instant::now() + self.tick().await;
                }
                _ = poll.tick() => {
                    self.evict_idle();
                    has_marked |= self.mark_in_use();
                    if Instant::now() >= next_keep_alive {
                        next_keep_alive = Instant::now() + self.limits.keep_alive_interval;
                        self.send_keep_alive().await;
                    }
                }
                // Signals queue in their channel until the tick: a wake-up per signal would cost too much during a busy sale.
                signal = moved.recv(), if !has_marked => has_marked = self.mark_signalled(signal, &mut moved),
            }
        }
        self.close().await;
    }

    /// Marks the events of a signal and of all queued ones; true if this node follows any of them.
    fn mark_signalled(
        &self,
        signal: Result<InventorySignal, RecvError>,
        moved: &mut Receiver<InventorySignal>,
    ) -> bool {
        let is_followed = match signal {
            Ok(signal) => self.mark(signal),
            Err(RecvError::Lagged(_)) => self.mark_all(),
            Err(RecvError::Closed) => false,
        };
        is_followed | self.drain(moved)
    }

    /// Marks the events of all queued signals; true if this node follows any of them.
    fn drain(&self, moved: &mut Receiver<InventorySignal>) -> bool {
        let mut is_followed = false;
        loop {
            match moved.try_recv() {
                Ok(signal) => is_followed |= self.mark(signal),
                Err(TryRecvError::Lagged(_)) => is_followed |= self.mark_all(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return is_followed,
            }
        }
    }

    fn mark(&self, signal: InventorySignal) -> bool {
        self.feeds.get(&signal.scope).is_some_and(|feed| {
            feed.signal();
            true
        })
    }

    fn mark_in_use(&self) -> bool {
        let now = self.environment.now();
        let mut marked = false;
        for feed in self.feeds.iter().filter(|feed| feed.is_in_use(now)) {
            feed.mark();
            marked = true;
        }
        marked
    }

    fn mark_all(&self) -> bool {
        self.feeds.iter().for_each(|feed| feed.mark());
        !self.feeds.is_empty()
    }

    /// Reads and publishes the marked events; returns the time until the next tick.
    async fn tick(&self) -> Duration {
        let marked: Vec<_> =
            self.feeds.iter().map(|feed| Arc::clone(feed.value())).filter(|feed| feed.take_mark()).collect();
        let costs = stream::iter(marked)
            .map(|feed| async move { self.refresh_and_publish(&feed).await })
            .buffer_unordered(READS_MAX);
        let cost: Duration = costs.collect::<Vec<_>>().await.into_iter().sum();
        let tick = (cost * 2).clamp(self.limits.tick_min, self.limits.tick_max);
        fanout_tick(tick);
        tick
    }

    /// Reads one event and publishes its changes; returns the cost, with the estimated cost of sending to its viewers.
    async fn refresh_and_publish(&self, feed: &Feed) -> Duration {
        let signalled = feed.take_signal();
        match timeout(READ_TIMEOUT, self.refresh(feed)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => self.log_failed_read(feed, &error),
            Err(_) => self.log_failed_read(feed, &"the read timed out"),
        }
        let mut pending = feed.pending.lock().await;
        let stopwatch = Stopwatch::start();
        let Some(published) = feed.publish(&mut pending, self.environment.now()) else { return Duration::ZERO };
        drop(pending);
        let PublishedFrame { kind, bytes, viewers } = published;
        let sending = self.limits.cost_per_viewer * u32::try_from(viewers).unwrap_or(u32::MAX);
        let cost = stopwatch.elapsed() + sending;
        frame_sent(kind, bytes, viewers, cost);
        if let (Some(signalled), FrameKind::Delta | FrameKind::Snapshot) = (signalled, kind) {
            propagated(signalled.elapsed());
        }
        cost
    }

    fn log_failed_read(&self, feed: &Feed, why: &dyn std::fmt::Display) {
        tracing::warn!(
            organization = %feed.scope.organization, event = %feed.scope.event, slice = "ticketing", %why,
            "could not read the changes of the event; its view becomes stale"
        );
    }

    /// Stops following events without viewers and reads for `idle_timeout`.
    fn evict_idle(&self) {
        let now = self.environment.now();
        // A further reference means that a request is about to use the feed; the map's lock prevents new references.
        self.feeds
            .retain(|_, feed| now.since(feed.last_used()) < self.limits.idle_timeout || Arc::strong_count(feed) > 1);
    }

    async fn send_keep_alive(&self) {
        for feed in self.watched() {
            feed.keep_alive().await;
            frame_sent(FrameKind::KeepAlive, super::frame::KEEP_ALIVE.len(), feed.viewers(), Duration::ZERO);
        }
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        for feed in self.watched() {
            feed.close().await;
        }
        self.feeds.clear();
    }

    fn watched(&self) -> Vec<Arc<Feed>> {
        let feeds = self.feeds.iter().map(|feed| Arc::clone(feed.value()));
        feeds.filter(|feed| feed.viewers() > 0).collect()
    }
}
