//! Defines the limits of every hold, in addition to those of its event: places, duration, bytes of terms, and holds of one session.
//!
//! An event's own limits are in [`EventLimits`](crate::catalog::event::EventLimits); [`limits`](super::limits) checks those and names every limit.

use std::time::Duration;

/// How many places one hold may have: one script of the warm tier changes at most this many places.
pub const PLACES_PER_HOLD_MAX: u32 = 100;
/// How many holds a session may have at once; holds that became orders do not count.
pub const HOLDS_PER_SESSION_MAX: u32 = 20;
/// The longest duration that a request may ask for, its extension included.
pub const HOLD_DURATION_MAX: Duration = Duration::from_secs(60 * 60);
/// How many bytes of priced terms a hold may have.
pub const TERMS_BYTES_MAX: usize = 64 * 1024;
