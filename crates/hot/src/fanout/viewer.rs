//! One viewer: where it stands, and what it is due when it asks. It sleeps on the feed's bell, and that is all it costs while nothing happens.
//!
//! Never: a queue, timer or task of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::{Stream, stream};
use tokio::sync::watch;
use voelgoed_domain::ticketing::place::Position;
use voelgoed_telemetry::metrics::realtime::{self, Resync, viewer_resynced};

use super::feed::{Feed, StreamState};
use super::frame;
use super::ring::Due;
use crate::snapshot::Touched;

/// A viewer's place in the stream.
pub(super) struct Viewer {
    feed: Arc<Feed>,
    bell: watch::Receiver<()>,
    /// What it has; none before its first frame.
    at: Option<Position>,
    beat: u64,
    told_stale: bool,
    ended: bool,
    /// Whether it has been live, so that falling behind is slowness.
    live: bool,
    _counted: Counted,
}

/// Counts the viewer while it lives.
struct Counted {
    of_event: Arc<AtomicUsize>,
    of_node: Arc<AtomicUsize>,
    _metric: realtime::Viewer,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.of_event.fetch_sub(1, Ordering::Relaxed);
        self.of_node.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Viewer {
    pub(super) fn new(feed: Arc<Feed>, of_node: &Arc<AtomicUsize>, at: Option<Position>) -> Self {
        let counted =
            Counted { of_event: Arc::clone(&feed.viewers), of_node: Arc::clone(of_node), _metric: realtime::viewer() };
        counted.of_event.fetch_add(1, Ordering::Relaxed);
        counted.of_node.fetch_add(1, Ordering::Relaxed);
        let (bell, beat) = (feed.wake.subscribe(), feed.stream().beat);
        Self { feed, bell, at, beat, told_stale: false, ended: false, live: false, _counted: counted }
    }

    /// Its frames, one at a time as they are asked for.
    pub(super) fn frames(self) -> impl Stream<Item = Bytes> + Send + 'static {
        stream::unfold(self, |mut viewer| async move {
            loop {
                // The bell is silenced before the state is read, so a change in between rings again.
                viewer.bell.borrow_and_update();
                let state = viewer.feed.stream();
                if viewer.ended || state.closed {
                    return None;
                }
                if let Some(bytes) = viewer.due(&state) {
                    return Some((bytes, viewer));
                }
                viewer.live = true;
                drop(state);
                viewer.bell.changed().await.ok()?;
            }
        })
    }

    fn due(&mut self, state: &StreamState) -> Option<Bytes> {
        if let Some(bytes) = self.due_state(state) {
            self.told_stale &= state.stale.is_some();
            self.beat = state.beat;
            return Some(bytes);
        }
        if state.ended {
            self.ended = true;
            return Some(frame::ENDED);
        }
        match (&state.stale, self.told_stale) {
            (Some(stale), false) => {
                self.told_stale = true;
                return Some(stale.clone());
            }
            (None, true) => {
                // Nothing was missed; an empty delta says that what is shown is live again.
                self.told_stale = false;
                return state.view.as_ref().map(|view| frame::delta(view, &Touched::default()));
            }
            (Some(_), true) | (None, false) => {}
        }
        if self.beat != state.beat {
            self.beat = state.beat;
            return Some(frame::KEEP_ALIVE);
        }
        None
    }

    /// The next delta, or a snapshot for who cannot use it.
    fn due_state(&mut self, state: &StreamState) -> Option<Bytes> {
        let (Some(view), Some(ring)) = (&state.view, &state.ring) else { return None };
        if let Some(at) = self.at {
            match ring.due(at, view.json_size()) {
                Due::Nothing => return None,
                Due::Frame(frame) => {
                    self.at = Some(frame.to);
                    return Some(frame.bytes.clone());
                }
                Due::NewEpoch => viewer_resynced(Resync::Epoch),
                Due::TooFarBehind => viewer_resynced(Resync::Slow),
                Due::Gap => viewer_resynced(if self.live { Resync::Slow } else { Resync::Gap }),
            }
        }
        self.at = Some(view.position());
        Some(self.feed.snapshot(view))
    }
}
