//! What this node keeps of one event: its newest view, what was touched since the last frame, and what viewers read.
//!
//! Never locked by a reader: view and stream are swapped whole. Whoever folds or publishes holds `pending`, so that there is one writer.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use tokio::sync::{Mutex, watch};
use voelgoed_app::environment::Environment;
use voelgoed_app::nodes::presence::COUNTS_FOR;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::ticketing::inventory::CatchUp;
use voelgoed_domain::ticketing::place::Position;
use voelgoed_domain::time::Timestamp;
use voelgoed_planted::{Bug, planted};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::realtime::Frame;

use super::frame;
use super::ring::Ring;
use crate::snapshot::{AvailabilityView, Touched};

/// One event on this node.
pub(super) struct Feed {
    pub(super) scope: EventScope,
    view: ArcSwapOption<AvailabilityView>,
    stream: ArcSwap<StreamState>,
    /// Viewers sleep on this.
    pub(super) wake: watch::Sender<()>,
    pub(super) pending: Mutex<Pending>,
    told: ArcSwapOption<Told>,
    dirty: AtomicBool,
    /// Running since the first signal that no tick has looked into, to tell how long changes take to viewers.
    signalled: StdMutex<Option<Stopwatch>>,
    pub(super) viewers: Arc<AtomicUsize>,
    /// Viewers at other nodes, and when that was learned.
    elsewhere: (AtomicU64, AtomicI64),
    last_used: AtomicI64,
    environment: Arc<dyn Environment>,
}

/// A snapshot as it was told: shared by all who need one of this view at about the same time.
struct Told {
    view: Arc<AvailabilityView>,
    at: Timestamp,
    bytes: Bytes,
}

/// An event that was read so long ago counts as in use.
const IN_USE_FOR: Duration = Duration::from_secs(10);
/// A snapshot's `now` may be this old.
const TOLD_LASTS: Duration = Duration::from_millis(500);

/// What the next frame has to tell.
#[derive(Default)]
pub(super) struct Pending {
    touched: Touched,
    /// What is known no longer follows from what viewers have: they need a snapshot.
    anew: bool,
}

/// What viewers read.
#[derive(Debug, Clone, Default)]
pub(super) struct StreamState {
    /// The state that snapshots tell; none before the first read.
    pub(super) view: Option<Arc<AvailabilityView>>,
    pub(super) ring: Option<Ring>,
    /// The frame that tells of the view's age, while it is stale.
    pub(super) stale: Option<Bytes>,
    /// Grows with each sign of life.
    pub(super) beat: u64,
    pub(super) ended: bool,
    pub(super) closed: bool,
}

/// What a publication came to, for metrics and the tick.
#[derive(Debug, Clone, Copy)]
pub(super) struct Published {
    pub(super) kind: Frame,
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
            told: ArcSwapOption::empty(),
            dirty: AtomicBool::new(true),
            signalled: StdMutex::default(),
            viewers: Arc::default(),
            elsewhere: Default::default(),
            last_used: AtomicI64::new(0),
            environment,
        }
    }

    /// The frame of a snapshot of `view`, with the moment in it.
    pub(super) fn snapshot(&self, view: &Arc<AvailabilityView>) -> Bytes {
        let now = self.environment.now();
        if let Some(told) = &*self.told.load()
            && Arc::ptr_eq(&told.view, view)
            && now.since(told.at) < TOLD_LASTS
        {
            return told.bytes.clone();
        }
        let bytes = frame::snapshot(view, now);
        self.told.store(Some(Arc::new(Told { view: Arc::clone(view), at: now, bytes: bytes.clone() })));
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

    /// Takes in how many watch at other nodes.
    pub(super) fn learn_elsewhere(&self, viewers: u64, now: Timestamp) {
        self.elsewhere.0.store(viewers, Ordering::Relaxed);
        self.elsewhere.1.store(now.micros(), Ordering::Relaxed);
    }

    /// Viewers at other nodes; what was learned too long ago is not told.
    pub(super) fn elsewhere(&self, now: Timestamp) -> u64 {
        let at = Timestamp::from_micros(self.elsewhere.1.load(Ordering::Relaxed));
        if now.since(at) < COUNTS_FOR { self.elsewhere.0.load(Ordering::Relaxed) } else { 0 }
    }

    pub(super) fn used(&self, now: Timestamp) {
        self.last_used.fetch_max(now.micros(), Ordering::Relaxed);
    }

    /// Whether somebody watches it, or read it a moment ago.
    pub(super) fn is_in_use(&self, now: Timestamp) -> bool {
        self.viewers() > 0 || now.since(self.last_used()) < IN_USE_FOR
    }

    pub(super) fn last_used(&self) -> Timestamp {
        Timestamp::from_micros(self.last_used.load(Ordering::Relaxed))
    }

    /// Something happened in this event.
    pub(super) fn signal(&self) {
        self.signalled.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Stopwatch::start);
        self.mark();
    }

    pub(super) fn take_signal(&self) -> Option<Stopwatch> {
        self.signalled.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Something may have happened in this event.
    pub(super) fn mark(&self) {
        self.dirty.store(true, Ordering::Release);
    }

    pub(super) fn take_mark(&self) -> bool {
        self.dirty.swap(false, Ordering::AcqRel)
    }

    /// Takes in what the warm tier said at `now`; the view is newer after it, the viewers know nothing yet.
    pub(super) fn fold(&self, pending: &mut Pending, news: CatchUp, now: Timestamp) -> Option<Arc<AvailabilityView>> {
        let known = self.view();
        let next = match (news, &known) {
            (CatchUp::Changes(changes), Some(view)) if changes.is_empty() => {
                view.confirm(now);
                return known;
            }
            (CatchUp::Changes(changes), Some(view)) => view.after(&changes, now, &mut pending.touched),
            // Changes without a view to change cannot be: none were asked for.
            (CatchUp::Changes(_), None) => return None,
            // An old copy of the state: what is known stays, and grows old.
            (CatchUp::Snapshot(snapshot), Some(view)) if snapshot.position < view.position() => return known,
            (CatchUp::Snapshot(snapshot), _) => {
                pending.anew = true;
                pending.touched = Touched::default();
                AvailabilityView::of(snapshot, now)
            }
        };
        let next = Arc::new(next);
        self.view.store(Some(Arc::clone(&next)));
        if self.stream.load().view.is_none() {
            self.publish(pending, now);
        }
        Some(next)
    }

    /// Encodes what waits and wakes the viewers.
    pub(super) fn publish(&self, pending: &mut Pending, now: Timestamp) -> Option<Published> {
        let view = self.view()?;
        let stream = self.stream();
        let stale = match (&stream.stale, view.is_stale(now) && !planted(Bug::StaleNotTold)) {
            (_, false) => None,
            (Some(told), true) => Some(told.clone()),
            (None, true) => Some(frame::stale(view.at(), now)),
        };
        let nothing_new = pending.touched.is_empty() && !pending.anew;
        if nothing_new && stale == stream.stale {
            return None;
        }
        let mut next = StreamState { stale, ..(*stream).clone() };
        let (kind, bytes) = if pending.anew || next.ring.is_none() {
            next.ring = Some(Ring::starting_at(view.position()));
            (Frame::Snapshot, view.json_size())
        } else if let (false, Some(ring)) = (nothing_new, &mut next.ring) {
            let frame = frame::delta(&view, &pending.touched);
            let bytes = frame.len();
            ring.push(view.position(), frame);
            (Frame::Delta, bytes)
        } else {
            (Frame::Stale, next.stale.as_ref().map_or(0, Bytes::len))
        };
        next.view = Some(view);
        *pending = Pending::default();
        self.swap(next);
        Some(Published { kind, bytes, viewers: self.viewers() })
    }

    /// A sign of life for everyone.
    pub(super) async fn beat(&self) {
        let _writer = self.pending.lock().await;
        let stream = self.stream();
        self.swap(StreamState { beat: stream.beat + 1, ..(*stream).clone() });
    }

    /// The event is over.
    pub(super) async fn end(&self) {
        let _writer = self.pending.lock().await;
        let stream = self.stream();
        if !stream.ended {
            self.swap(StreamState { ended: true, ..(*stream).clone() });
        }
    }

    /// This node goes; viewers find another.
    pub(super) async fn close(&self) {
        let _writer = self.pending.lock().await;
        self.swap(StreamState { closed: true, ..(*self.stream()).clone() });
    }

    fn swap(&self, next: StreamState) {
        self.stream.store(Arc::new(next));
        self.wake.send_replace(());
    }
}
