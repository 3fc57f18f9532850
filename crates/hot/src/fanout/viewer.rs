//! One viewer's stream: tracks the viewer's position and yields the next frame; waits on the feed's wake-up channel in between.
//!
//! Never: a queue, timer or task per viewer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::{Stream, stream};
use tokio::sync::watch;
use voelgoed_domain::ticketing::place::Position;
use voelgoed_telemetry::metrics::hot_availability::{self, Resync, viewer_resynced};

use super::feed::{Feed, StreamState};
use super::frame;
use super::frame_ring::Due;
use crate::availability_view::Touched;

/// A viewer's state in the stream.
pub(super) struct Viewer {
    feed: Arc<Feed>,
    wakeup: watch::Receiver<()>,
    /// The position of the last frame; none before the first.
    at: Option<Position>,
    keep_alives: u64,
    sent_stale: bool,
    ended: bool,
    /// Whether the viewer was up to date once, so that a later gap means a slow reader.
    was_live: bool,
    _count: ViewerCount,
}

/// Counts the viewer until it is dropped.
struct ViewerCount {
    of_event: Arc<AtomicUsize>,
    of_node: Arc<AtomicUsize>,
    _metric: hot_availability::ViewerGuard,
}

impl Drop for ViewerCount {
    fn drop(&mut self) {
        self.of_event.fetch_sub(1, Ordering::Relaxed);
        self.of_node.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Viewer {
    pub(super) fn new(feed: Arc<Feed>, of_node: &Arc<AtomicUsize>, at: Option<Position>) -> Self {
        let count = ViewerCount {
            of_event: Arc::clone(&feed.viewers),
            of_node: Arc::clone(of_node),
            _metric: hot_availability::viewer(),
        };
        count.of_event.fetch_add(1, Ordering::Relaxed);
        count.of_node.fetch_add(1, Ordering::Relaxed);
        let (wakeup, keep_alives) = (feed.wake.subscribe(), feed.stream().keep_alives);
        Self { feed, wakeup, at, keep_alives, sent_stale: false, ended: false, was_live: false, _count: count }
    }

    /// The frames, computed one at a time as the stream is polled.
    pub(super) fn frames(self) -> impl Stream<Item = Bytes> + Send + 'static {
        stream::unfold(self, |mut viewer| async move {
            loop {
                // The wake-up is cleared before the state is read, so that a change in between is not lost.
                viewer.wakeup.borrow_and_update();
                let state = viewer.feed.stream();
                if viewer.ended || state.closed {
                    return None;
                }
                if let Some(bytes) = viewer.next_frame(&state) {
                    return Some((bytes, viewer));
                }
                viewer.was_live = true;
                drop(state);
                viewer.wakeup.changed().await.ok()?;
            }
        })
    }

    fn next_frame(&mut self, state: &StreamState) -> Option<Bytes> {
        if let Some(bytes) = self.next_state_frame(state) {
            self.sent_stale &= state.stale.is_some();
            self.keep_alives = state.keep_alives;
            return Some(bytes);
        }
        if state.ended {
            self.ended = true;
            return Some(frame::ENDED);
        }
        match (&state.stale, self.sent_stale) {
            (Some(stale), false) => {
                self.sent_stale = true;
                return Some(stale.clone());
            }
            (None, true) => {
                // No change was missed; an empty delta says that the view is live again.
                self.sent_stale = false;
                return state.view.as_ref().map(|view| frame::delta(view, &Touched::default()));
            }
            (Some(_), true) | (None, false) => {}
        }
        if self.keep_alives != state.keep_alives {
            self.keep_alives = state.keep_alives;
            return Some(frame::KEEP_ALIVE);
        }
        None
    }

    /// The next delta, or a snapshot if the viewer cannot apply one.
    fn next_state_frame(&mut self, state: &StreamState) -> Option<Bytes> {
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
                Due::Gap => viewer_resynced(if self.was_live { Resync::Slow } else { Resync::Gap }),
            }
        }
        self.at = Some(view.position());
        Some(self.feed.snapshot(view))
    }
}
