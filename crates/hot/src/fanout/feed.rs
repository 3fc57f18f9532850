//! The state of one followed event on this node: newest view, unpublished changes, and the stream state that viewers read.
//!
//! Never: a lock on the read path; view and stream state are swapped whole. Merging and publishing lock `pending`, so there is one writer.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use tokio::sync::{Mutex, watch};
use voelgoed_app::environment::Environment;
use voelgoed_app::nodes::presence::REPORT_TTL;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::ticketing::inventory::CatchUp;
use voelgoed_domain::ticketing::place::Position;
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::hot_availability::FrameKind;

use super::frame;
use super::frame_ring::FrameRing;
use crate::availability_view::{AvailabilityView, Touched};

/// One event on this node.
pub(super) struct Feed {
    pub(super) scope: EventScope,
    view: ArcSwapOption<AvailabilityView>,
    stream: ArcSwap<StreamState>,
    /// Viewers wait on this channel.
    pub(super) wake: watch::Sender<()>,
    pub(super) pending: Mutex<Pending>,
    cached_snapshot: ArcSwapOption<CachedSnapshot>,
    is_marked: AtomicBool,
    /// Runs since the first signal that no tick has handled, to measure how long a change takes to reach viewers.
    signalled: StdMutex<Option<Stopwatch>>,
    pub(super) viewers: Arc<AtomicUsize>,
    /// Viewers on other nodes, and the time of that count in microseconds.
    remote_viewers: (AtomicU64, AtomicI64),
    last_used: AtomicI64,
    environment: Arc<dyn Environment>,
}

/// An encoded snapshot frame, shared by viewers that need one of the same view within [`SNAPSHOT_REUSED_FOR`].
struct CachedSnapshot {
    view: Arc<AvailabilityView>,
    at: Timestamp,
    bytes: Bytes,
}

/// How long a read keeps an event in use.
const IN_USE_FOR: Duration = Duration::from_secs(10);
/// How old the `now` of a reused snapshot frame may be.
const SNAPSHOT_REUSED_FOR: Duration = Duration::from_millis(500);

/// The changes that the next frame publishes.
#[derive(Default)]
pub(super) struct Pending {
    touched: Touched,
    /// Whether the view does not follow from the last published one, so that viewers need a snapshot.
    needs_snapshot: bool,
}

/// The state that viewers read.
#[derive(Debug, Clone, Default)]
pub(super) struct StreamState {
    /// The view for snapshots; none before the first read.
    pub(super) view: Option<Arc<AvailabilityView>>,
    pub(super) ring: Option<FrameRing>,
    /// The frame that marks the view as stale, while it is.
    pub(super) stale: Option<Bytes>,
    /// Increases with each keep-alive.
    pub(super) keep_alives: u64,
    pub(super) ended: bool,
    pub(super) closed: bool,
}

/// The frame that was published, for metrics and the interval of the tick.
#[derive(Debug, Clone, Copy)]
pub(super) struct PublishedFrame {
    pub(super) kind: FrameKind,
    pub(super) bytes: usize,
    pub(super) viewers: usize,
}

impl Feed {
    pub(super) fn new(scope: EventScope, environment: Arc<dyn Environment>) -> Self {
        Self {
            scope,
            view: ArcSwapOption::empty(),
            stream: ArcSwap::default(),
            wake: watch::channel(()).0,
            pending: Mutex::default(),
            cached_snapshot: ArcSwapOption::empty(),
            is_marked: AtomicBool::new(true),
            signalled: StdMutex::default(),
            viewers: Arc::default(),
            remote_viewers: Default::default(),
            last_used: AtomicI64::new(0),
            environment,
        }
    }

    /// The snapshot frame of `view` with the present time.
    pub(super) fn snapshot(&self, view: &Arc<AvailabilityView>) -> Bytes {
        let now = self.environment.now();
        if let Some(cached) = &*self.cached_snapshot.load()
            && Arc::ptr_eq(&cached.view, view)
            && now.since(cached.at) < SNAPSHOT_REUSED_FOR
        {
            return cached.bytes.clone();
        }
        let bytes = frame::snapshot(view, now);
        self.cached_snapshot.store(Some(Arc::new(CachedSnapshot {
            view: Arc::clone(view),
            at: now,
            bytes: bytes.clone(),
        })));
        bytes
    }

    pub(super) fn view(&self) -> Option<Arc<AvailabilityView>> {
        self.view.load_full()
    }

    pub(super) fn position(&self) -> Option<Position> {
        self.view.load().as_ref().map(|view| view.position())
    }

    pub(super) fn stream(&self) -> Arc<StreamState> {
        self.stream.load_full()
    }

    pub(super) fn viewers(&self) -> usize {
        self.viewers.load(Ordering::Relaxed)
    }

    /// Stores the number of viewers on other nodes.
    pub(super) fn set_remote_viewers(&self, viewers: u64, now: Timestamp) {
        self.remote_viewers.0.store(viewers, Ordering::Relaxed);
        self.remote_viewers.1.store(now.micros(), Ordering::Relaxed);
    }

    /// Viewers on other nodes; 0 if the count is too old.
    pub(super) fn remote_viewers(&self, now: Timestamp) -> u64 {
        let at = Timestamp::from_micros(self.remote_viewers.1.load(Ordering::Relaxed));
        if now.since(at) < REPORT_TTL { self.remote_viewers.0.load(Ordering::Relaxed) } else { 0 }
    }

    pub(super) fn used(&self, now: Timestamp) {
        self.last_used.fetch_max(now.micros(), Ordering::Relaxed);
    }

    /// Whether the event has viewers, or was read within [`IN_USE_FOR`].
    pub(super) fn is_in_use(&self, now: Timestamp) -> bool {
        self.viewers() > 0 || now.since(self.last_used()) < IN_USE_FOR
    }

    pub(super) fn last_used(&self) -> Timestamp {
        Timestamp::from_micros(self.last_used.load(Ordering::Relaxed))
    }

    /// Marks the event after a signal, and starts the propagation stopwatch.
    pub(super) fn signal(&self) {
        self.signalled.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Stopwatch::start);
        self.mark();
    }

    pub(super) fn take_signal(&self) -> Option<Stopwatch> {
        self.signalled.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Marks the event for the next tick.
    pub(super) fn mark(&self) {
        self.is_marked.store(true, Ordering::Release);
    }

    pub(super) fn take_mark(&self) -> bool {
        self.is_marked.swap(false, Ordering::AcqRel)
    }

    /// Merges changes that were read at `now` into the view; [`Self::publish`] sends them to viewers.
    pub(super) fn merge(
        &self,
        pending: &mut Pending,
        changes: CatchUp,
        now: Timestamp,
    ) -> Option<Arc<AvailabilityView>> {
        let known = self.view();
        let next = match (changes, &known) {
            (CatchUp::Changes(changes), Some(view)) if changes.is_empty() => {
                view.confirm(now);
                return known;
            }
            (CatchUp::Changes(changes), Some(view)) => view.after(&changes, now, &mut pending.touched),
            // Cannot happen: without a view, a snapshot is read.
            (CatchUp::Changes(_), None) => return None,
            // The warm tier serves an old copy of the event: the newer view stays and becomes stale.
            (CatchUp::Snapshot(snapshot), Some(view)) if snapshot.position < view.position() => return known,
            (CatchUp::Snapshot(snapshot), _) => {
                pending.needs_snapshot = true;
                pending.touched = Touched::default();
                AvailabilityView::from_snapshot(snapshot, now)
            }
        };
        let next = Arc::new(next);
        self.view.store(Some(Arc::clone(&next)));
        if self.stream.load().view.is_none() {
            self.publish(pending, now);
        }
        Some(next)
    }

    /// Encodes the pending changes and wakes the viewers.
    pub(super) fn publish(&self, pending: &mut Pending, now: Timestamp) -> Option<PublishedFrame> {
        let view = self.view()?;
        let stream = self.stream();
        let stale = match (&stream.stale, view.is_stale(now)) {
            (_, false) => None,
            (Some(sent), true) => Some(sent.clone()),
            (None, true) => Some(frame::stale(view.at(), now)),
        };
        let has_no_changes = pending.touched.is_empty() && !pending.needs_snapshot;
        if has_no_changes && stale == stream.stale {
            return None;
        }
        let mut next = StreamState { stale, ..(*stream).clone() };
        let (kind, bytes) = if pending.needs_snapshot || next.ring.is_none() {
            next.ring = Some(FrameRing::starting_at(view.position()));
            (FrameKind::Snapshot, view.json_size())
        } else if let (false, Some(ring)) = (has_no_changes, &mut next.ring) {
            let frame = frame::delta(&view, &pending.touched);
            let bytes = frame.len();
            ring.push(view.position(), frame);
            (FrameKind::Delta, bytes)
        } else {
            (FrameKind::Stale, next.stale.as_ref().map_or(0, Bytes::len))
        };
        next.view = Some(view);
        *pending = Pending::default();
        self.swap(next);
        Some(PublishedFrame { kind, bytes, viewers: self.viewers() })
    }

    /// Sends a keep-alive to all viewers.
    pub(super) async fn keep_alive(&self) {
        let _writer = self.pending.lock().await;
        let stream = self.stream();
        self.swap(StreamState { keep_alives: stream.keep_alives + 1, ..(*stream).clone() });
    }

    /// Ends the streams because the event is over.
    pub(super) async fn end(&self) {
        let _writer = self.pending.lock().await;
        let stream = self.stream();
        if !stream.ended {
            self.swap(StreamState { ended: true, ..(*stream).clone() });
        }
    }

    /// Ends the streams because this node stops; viewers reconnect to another node.
    pub(super) async fn close(&self) {
        let _writer = self.pending.lock().await;
        self.swap(StreamState { closed: true, ..(*self.stream()).clone() });
    }

    fn swap(&self, next: StreamState) {
        self.stream.store(Arc::new(next));
        self.wake.send_replace(());
    }
}
