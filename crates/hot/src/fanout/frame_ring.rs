//! Ring buffer of the last frames of an event without a gap; decides which frame a viewer at some position needs next.
//!
//! Never: a queue per viewer. A viewer behind the oldest frame, or with a backlog larger than a snapshot, gets a snapshot.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use voelgoed_domain::ticketing::place::Position;

use super::frame::EncodedFrame;

/// Frames in the ring, for viewers that reconnect.
pub(super) const FRAMES_MAX: usize = 256;
/// A viewer with more frames of backlog gets a snapshot.
pub(super) const BACKLOG_FRAMES_MAX: usize = 32;
/// A backlog of fewer bytes never justifies a snapshot.
const BACKLOG_BYTES_MIN: usize = 16 * 1024;

/// Consecutive frames from position `base` on.
#[derive(Debug, Clone)]
pub(super) struct FrameRing {
    base: Position,
    frames: VecDeque<Arc<EncodedFrame>>,
}

/// What a viewer needs next.
#[derive(Debug)]
pub(super) enum Due {
    /// The viewer is up to date.
    Nothing,
    /// The next frame.
    Frame(Arc<EncodedFrame>),
    /// The viewer's position belongs to an older epoch: snapshot.
    NewEpoch,
    /// The frames after the viewer's position are no longer in the ring: snapshot.
    Gap,
    /// The viewer reads more slowly than the event changes: snapshot.
    TooFarBehind,
}

impl FrameRing {
    /// An empty ring; viewers at `base` are up to date.
    pub(super) const fn starting_at(base: Position) -> Self {
        Self { base, frames: VecDeque::new() }
    }

    /// Adds the frame that leads to `to`.
    pub(super) fn push(&mut self, to: Position, bytes: Bytes) {
        let total_bytes = self.frames.back().map_or(0, |last| last.total_bytes) + bytes.len();
        self.frames.push_back(Arc::new(EncodedFrame { to, total_bytes, bytes }));
        if self.frames.len() > FRAMES_MAX
            && let Some(oldest) = self.frames.pop_front()
        {
            self.base = oldest.to;
        }
    }

    /// What a viewer at `at` needs next, if a snapshot takes `snapshot_bytes`.
    pub(super) fn due(&self, at: Position, snapshot_bytes: usize) -> Due {
        if at.epoch < self.base.epoch {
            return Due::NewEpoch;
        }
        if at < self.base {
            return Due::Gap;
        }
        let next = self.frames.partition_point(|frame| frame.to <= at);
        let (Some(frame), Some(last)) = (self.frames.get(next), self.frames.back()) else { return Due::Nothing };
        let backlog = last.total_bytes - frame.total_bytes + frame.bytes.len();
        if self.frames.len() - next > BACKLOG_FRAMES_MAX || backlog > snapshot_bytes.max(BACKLOG_BYTES_MIN) {
            return Due::TooFarBehind;
        }
        Due::Frame(Arc::clone(frame))
    }
}

#[cfg(test)]
mod tests {
    use voelgoed_domain::ticketing::place::Epoch;

    use super::*;

    fn at(seq: u64) -> Position {
        Position { epoch: Epoch(2), seq }
    }

    fn ring(frames: u64, bytes: usize) -> FrameRing {
        let mut ring = FrameRing::starting_at(at(10));
        for number in 1..=frames {
            ring.push(at(10 + 2 * number), vec![b'x'; bytes].into());
        }
        ring
    }

    #[test]
    fn frames_are_consecutive_and_fit_viewers_between_positions() {
        let ring = ring(3, 10);
        for (seq, expected) in [(10, Some(12)), (11, Some(12)), (12, Some(14)), (15, Some(16)), (16, None), (99, None)]
        {
            let due = match ring.due(at(seq), 0) {
                Due::Frame(frame) => Some(frame.to.seq),
                Due::Nothing => None,
                other => panic!("{seq}: {other:?}"),
            };
            assert_eq!(due, expected, "{seq}");
        }
        assert!(matches!(ring.due(at(9), 0), Due::Gap));
        assert!(matches!(ring.due(Position { epoch: Epoch(1), seq: 99 }, 0), Due::NewEpoch));
    }

    #[test]
    fn viewer_too_far_behind_gets_a_snapshot() {
        let limit = BACKLOG_FRAMES_MAX as u64;
        assert!(matches!(ring(limit, 1).due(at(10), 0), Due::Frame(_)), "the limit itself is allowed");
        assert!(matches!(ring(limit + 1, 1).due(at(10), 0), Due::TooFarBehind));
        assert!(matches!(ring(3, 10_000).due(at(10), 30_000), Due::Frame(_)));
        assert!(matches!(ring(3, 10_000).due(at(10), 29_999), Due::TooFarBehind));
        assert!(matches!(ring(3, 10_000).due(at(14), 0), Due::Frame(_)), "near the head");
    }

    #[test]
    fn oldest_frames_are_dropped_beyond_the_limit() {
        let frames = FRAMES_MAX as u64;
        assert!(matches!(ring(frames, 1).due(at(10), 0), Due::TooFarBehind));
        assert!(matches!(ring(frames + 1, 1).due(at(10), 0), Due::Gap));
    }
}
