//! The one task of fan-out: it hears the warm tier's signals, and at each tick reads and publishes every event that moved.
//!
//! Never busier than half a core: the dearer a tick was, viewers included, the longer the next one waits.
//! A signal that is missed costs at most a second: every event in use is looked at that often, which is also how silence of the warm tier is noticed
//! (P10). An event that nobody watches or reads is not looked at: its signals are followed, and whoever reads it next has it looked at first.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use voelgoed_app::ticketing::ports::Moved;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::realtime::{Frame, fanout_tick, frame_sent, propagated};

use super::Fanout;
use super::feed::{Feed, Published};

/// Every event in use is looked at this often, signal or not.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The most events read at once.
const READS: usize = 16;
/// One event's read may take so long before the others go on without it.
pub(super) const READ_DEADLINE: Duration = Duration::from_secs(2);

impl Fanout {
    /// Follows the warm tier until `stop`; then lets all viewers go, so that the server can drain.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        let mut moved = self.store.subscribe();
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_tick = Instant::now();
        let mut next_beat = Instant::now() + self.limits.keep_alive;
        let mut waiting = true;
        tokio::pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = sleep_until(next_tick), if waiting => {
                    waiting = false;
                    self.drain(&mut moved);
                    next_tick = Instant::now() + self.tick().await;
                }
                _ = look.tick() => {
                    self.retire();
                    waiting |= self.mark_in_use();
                    if Instant::now() >= next_beat {
                        next_beat = Instant::now() + self.limits.keep_alive;
                        self.beat().await;
                    }
                }
                // Until the tick, signals wait in their channel: waking for each would cost a busy sale more than the signals say.
                signal = moved.recv(), if !waiting => waiting = self.hear(signal, &mut moved),
            }
        }
        self.close().await;
    }

    /// Marks what the signal and all that wait behind it name; true where any of it is followed here.
    fn hear(&self, signal: Result<Moved, RecvError>, moved: &mut Receiver<Moved>) -> bool {
        let heard = match signal {
            Ok(signal) => self.mark(signal),
            Err(RecvError::Lagged(_)) => self.mark_all(),
            Err(RecvError::Closed) => false,
        };
        heard | self.drain(moved)
    }

    /// Marks what all waiting signals name; true where any of it is followed here.
    fn drain(&self, moved: &mut Receiver<Moved>) -> bool {
        let mut heard = false;
        loop {
            match moved.try_recv() {
                Ok(signal) => heard |= self.mark(signal),
                Err(TryRecvError::Lagged(_)) => heard |= self.mark_all(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return heard,
            }
        }
    }

    fn mark(&self, signal: Moved) -> bool {
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

    /// Reads and publishes what is marked; returns how long to wait before the next tick.
    async fn tick(&self) -> Duration {
        let marked: Vec<_> =
            self.feeds.iter().map(|feed| Arc::clone(feed.value())).filter(|feed| feed.take_mark()).collect();
        let costs = stream::iter(marked).map(|feed| async move { self.tell(&feed).await }).buffer_unordered(READS);
        let cost: Duration = costs.collect::<Vec<_>>().await.into_iter().sum();
        let tick = (cost * 2).clamp(self.limits.tick, self.limits.longest_tick);
        fanout_tick(tick);
        tick
    }

    /// Reads one event and publishes what changed; returns what that cost, its viewers' share reckoned.
    async fn tell(&self, feed: &Feed) -> Duration {
        let signalled = feed.take_signal();
        match timeout(READ_DEADLINE, self.refresh(feed)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => self.silent(feed, &error),
            Err(_) => self.silent(feed, &"no answer in time"),
        }
        let mut pending = feed.pending.lock().await;
        let watch = Stopwatch::start();
        let Some(published) = feed.publish(&mut pending, self.environment.now()) else { return Duration::ZERO };
        drop(pending);
        let Published { kind, bytes, viewers } = published;
        let handed = self.limits.cost_per_viewer * u32::try_from(viewers).unwrap_or(u32::MAX);
        let took = watch.elapsed() + handed;
        frame_sent(kind, bytes, viewers, took);
        if let (Some(signalled), Frame::Delta | Frame::Snapshot) = (signalled, kind) {
            propagated(signalled.elapsed());
        }
        took
    }

    fn silent(&self, feed: &Feed, why: &dyn std::fmt::Display) {
        tracing::warn!(
            organization = %feed.scope.organization, event = %feed.scope.event, slice = "ticketing", %why,
            "could not read the event's changes, its view grows old"
        );
    }

    /// Events that nobody has watched or read for a while are no longer followed.
    fn retire(&self) {
        let now = self.environment.now();
        // Whoever still holds the feed will use it: under the map's lock nobody else can come by it.
        self.feeds.retain(|_, feed| now.since(feed.last_used()) < self.limits.idle || Arc::strong_count(feed) > 1);
    }

    async fn beat(&self) {
        for feed in self.watched() {
            feed.beat().await;
            frame_sent(Frame::KeepAlive, super::frame::KEEP_ALIVE.len(), feed.viewers(), Duration::ZERO);
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
