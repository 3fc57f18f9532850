//! The last frames of an event without a hole between them, and what a viewer at some position is due next.
//!
//! Never: a queue per viewer. Whoever is behind the oldest frame, or behind by more than a snapshot weighs, starts anew from a snapshot.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use voelgoed_domain::ticketing::place::Position;
use voelgoed_planted::{Bug, planted};

use super::frame::Frame;

/// The most frames kept for those who come back.
pub(super) const FRAMES: usize = 256;
/// A viewer that is more frames behind is slow, and gets a snapshot.
pub(super) const BACKLOG_FRAMES: usize = 32;
/// A backlog under so many bytes is never worth a snapshot.
const SMALL_BACKLOG: usize = 16 * 1024;

/// Frames that follow each other from `base` on.
#[derive(Debug, Clone)]
pub(super) struct Ring {
    base: Position,
    frames: VecDeque<Arc<Frame>>,
}

/// What a viewer is due.
#[derive(Debug)]
pub(super) enum Due {
    /// It has everything.
    Nothing,
    /// The next frame.
    Frame(Arc<Frame>),
    /// It belongs to an older epoch.
    NewEpoch,
    /// Frames that it needs are no longer kept, or were never made.
    Gap,
    /// It reads more slowly than things change.
    TooFarBehind,
}

impl Ring {
    /// No frame yet; viewers at `base` have everything.
    pub(super) const fn starting_at(base: Position) -> Self {
        Self { base, frames: VecDeque::new() }
    }

    /// Adds the frame that leads to `to`.
    pub(super) fn push(&mut self, to: Position, bytes: Bytes) {
        let sum = self.frames.back().map_or(0, |last| last.sum) + bytes.len();
        self.frames.push_back(Arc::new(Frame { to, sum, bytes }));
        if self.frames.len() > FRAMES
            && let Some(oldest) = self.frames.pop_front()
        {
            self.base = oldest.to;
        }
    }

    /// What a viewer at `at` is due, where a snapshot would weigh `snapshot` bytes.
    pub(super) fn due(&self, at: Position, snapshot: usize) -> Due {
        if at.epoch < self.base.epoch {
            return Due::NewEpoch;
        }
        if at < self.base {
            return Due::Gap;
        }
        let next = self.frames.partition_point(|frame| frame.to <= at) + usize::from(planted(Bug::FrameSkipped));
        let (Some(frame), Some(last)) = (self.frames.get(next), self.frames.back()) else { return Due::Nothing };
        let backlog = last.sum - frame.sum + frame.bytes.len();
        if self.frames.len() - next > BACKLOG_FRAMES || backlog > snapshot.max(SMALL_BACKLOG) {
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

    fn ring(frames: u64, bytes: usize) -> Ring {
        let mut ring = Ring::starting_at(at(10));
        for number in 1..=frames {
            ring.push(at(10 + 2 * number), vec![b'x'; bytes].into());
        }
        ring
    }

    #[test]
    fn frames_follow_each_other_and_fit_whoever_stands_between() {
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
    fn who_is_too_far_behind_gets_a_snapshot() {
        let most = BACKLOG_FRAMES as u64;
        assert!(matches!(ring(most, 1).due(at(10), 0), Due::Frame(_)), "the limit itself is allowed");
        assert!(matches!(ring(most + 1, 1).due(at(10), 0), Due::TooFarBehind));
        assert!(matches!(ring(3, 10_000).due(at(10), 30_000), Due::Frame(_)));
        assert!(matches!(ring(3, 10_000).due(at(10), 29_999), Due::TooFarBehind));
        assert!(matches!(ring(3, 10_000).due(at(14), 0), Due::Frame(_)), "near the head");
    }

    #[test]
    fn the_oldest_frames_are_forgotten() {
        let frames = FRAMES as u64;
        assert!(matches!(ring(frames, 1).due(at(10), 0), Due::TooFarBehind));
        assert!(matches!(ring(frames + 1, 1).due(at(10), 0), Due::Gap));
    }
}
