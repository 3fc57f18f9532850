//! Metrics of the hot tier: snapshot reads, viewers, frames, and the time from a commit to a viewer.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};

use crate::family::Family;
use crate::metric::{BYTES, CALL, FAST, Metric, Unit, label_values};

/// Reads of hot snapshots.
pub const SNAPSHOT_READS_TOTAL: Metric = Metric::counter(
    "hot",
    "voelgoed_snapshot_reads_total",
    &[SnapshotRead::LABEL],
    "Reads of hot availability snapshots: hit, stale (served with its age) or miss.",
);
/// Age of a snapshot when read.
pub const SNAPSHOT_AGE_SECONDS: Metric = Metric::histogram(
    "hot",
    "voelgoed_snapshot_age_seconds",
    Unit::Seconds,
    CALL,
    &[],
    "Age of hot snapshots when they were read.",
);
/// Connected viewers.
pub const VIEWERS: Metric =
    Metric::gauge("hot", "voelgoed_viewers", Unit::Count, &[], "Viewers that are connected to this node.");
/// Frames sent.
pub const FRAMES_TOTAL: Metric = Metric::counter(
    "hot",
    "voelgoed_frames_total",
    &[FrameKind::LABEL],
    "Frames sent to viewers; one frame to a thousand viewers counts a thousand.",
);
/// Size of a frame.
pub const FRAME_BYTES: Metric = Metric::histogram(
    "hot",
    "voelgoed_frame_bytes",
    Unit::Bytes,
    BYTES,
    &[],
    "Size of encoded frames, each counted once.",
);
/// Time between two frames.
pub const FANOUT_TICK_SECONDS: Metric = Metric::gauge(
    "hot",
    "voelgoed_fanout_tick_seconds",
    Unit::Seconds,
    &[],
    "The current time between two frames; 50 ms unless fan-out would take more than half a core.",
);
/// Duration of one fan-out.
pub const FANOUT_SECONDS: Metric = Metric::histogram(
    "hot",
    "voelgoed_fanout_seconds",
    Unit::Seconds,
    FAST,
    &[],
    "Time to encode one frame and send it to every viewer.",
);
/// Time from commit to viewer.
pub const PROPAGATION_SECONDS: Metric = Metric::histogram(
    "hot",
    "voelgoed_propagation_seconds",
    Unit::Seconds,
    CALL,
    &[],
    "Time from a change's commit to sending its frame; the goal is a p99 below 150 ms.",
);
/// Resynchronized viewers.
pub const VIEWERS_RESYNCED_TOTAL: Metric = Metric::counter(
    "hot",
    "voelgoed_viewers_resynced_total",
    &[Resync::LABEL],
    "Viewers that got a snapshot instead of deltas, by reason.",
);

label_values! {
    /// The result of a snapshot read.
    SnapshotRead = "result" {
        /// Fresh.
        Hit = "hit",
        /// Old, and marked as stale.
        Stale = "stale",
        /// Absent.
        Miss = "miss",
    }
}

label_values! {
    /// The kind of a frame.
    FrameKind = "frame" {
        /// Changes since the last one.
        Delta = "delta",
        /// The whole state.
        Snapshot = "snapshot",
        /// A mark that the shown state is stale.
        Stale = "stale",
        /// Nothing; keeps the connection open.
        KeepAlive = "keep_alive",
    }
}

label_values! {
    /// Why a viewer got a snapshot.
    Resync = "why" {
        /// It read too slowly.
        Slow = "slow",
        /// It reconnected with a position that is no longer stored.
        Gap = "gap",
        /// The epoch increased.
        Epoch = "epoch",
    }
}

/// Every metric of this area.
pub const ALL: &[Metric] = &[
    SNAPSHOT_READS_TOTAL,
    SNAPSHOT_AGE_SECONDS,
    VIEWERS,
    FRAMES_TOTAL,
    FRAME_BYTES,
    FANOUT_TICK_SECONDS,
    FANOUT_SECONDS,
    PROPAGATION_SECONDS,
    VIEWERS_RESYNCED_TOTAL,
];

static READS: Family<Counter, 1> = Family::of(&SNAPSHOT_READS_TOTAL);
static AGE: Family<Histogram, 0> = Family::of(&SNAPSHOT_AGE_SECONDS);
static CONNECTED: Family<Gauge, 0> = Family::of(&VIEWERS);
static FRAMES: Family<Counter, 1> = Family::of(&FRAMES_TOTAL);
static SIZE: Family<Histogram, 0> = Family::of(&FRAME_BYTES);
static TICK: Family<Gauge, 0> = Family::of(&FANOUT_TICK_SECONDS);
static FANOUT: Family<Histogram, 0> = Family::of(&FANOUT_SECONDS);
static PROPAGATION: Family<Histogram, 0> = Family::of(&PROPAGATION_SECONDS);
static RESYNCED: Family<Counter, 1> = Family::of(&VIEWERS_RESYNCED_TOTAL);

/// Counts a snapshot read, with the age of the snapshot; a miss has none.
pub fn snapshot_read(result: SnapshotRead, age: Option<Duration>) {
    READS.at([result.as_str()], |counter| counter.increment(1));
    if let Some(age) = age {
        AGE.at([], |histogram| histogram.record(age));
    }
}

/// Counts a viewer as connected until dropped.
#[must_use = "dropping it disconnects the viewer"]
pub struct ViewerGuard(());

/// Counts a viewer as connected from now on.
pub fn viewer() -> ViewerGuard {
    CONNECTED.at([], |gauge| gauge.increment(1.0));
    ViewerGuard(())
}

impl Drop for ViewerGuard {
    fn drop(&mut self) {
        CONNECTED.at([], |gauge| gauge.decrement(1.0));
    }
}

/// Records one encoded frame of `bytes` that was sent to `viewers` viewers in `took`.
pub fn frame_sent(frame: FrameKind, bytes: usize, viewers: usize, took: Duration) {
    FRAMES.at([frame.as_str()], |counter| counter.increment(viewers as u64));
    SIZE.at([], |histogram| histogram.record(bytes as f64));
    FANOUT.at([], |histogram| histogram.record(took));
}

/// Sets the time between two frames.
pub fn fanout_tick(tick: Duration) {
    TICK.at([], |gauge| gauge.set(tick));
}

/// Records the time from the commit of a frame's oldest change to sending the frame.
pub fn propagated(after: Duration) {
    PROPAGATION.at([], |histogram| histogram.record(after));
}

/// Counts a viewer that got a snapshot instead of deltas.
pub fn viewer_resynced(why: Resync) {
    RESYNCED.at([why.as_str()], |counter| counter.increment(1));
}
