//! The warm state of one event as a pure machine: what the memory adapter runs, and what judges every other one.
//!
//! Never: grants a sale (cold does, P1), reads a clock (`now` is an argument and never goes backwards), or leaves a step half done.
//! Each command is one atomic step: sweep at most [`SWEPT_PER_STEP`] lapsed holds, act, append one entry to the log. It keeps P4: a place is free
//! unless exactly one hold or the cold tier has it. To add a command: a file beside these, through [`Inventory::step`], and a row in the oracle.

mod allot;
mod apply;
mod book;
mod change;
mod gate;
mod grant;
mod install;
mod log;
mod pin;
mod places;
mod read;
pub mod refusals;
mod release;
mod sweep;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::time::Duration;

pub use log::{LOG_CHANGES, LOG_STEPS};
pub use read::minted;
pub use values::{AreaSpan, CatchUp, Counts, GateFilter, Install, InstallRefused, InventoryChange, InventorySnapshot};

use self::book::Book;
use self::gate::Gate;
use self::log::Log;
use self::places::Places;
use voelgoed_planted::{Bug, planted};

use crate::refusal::Refusal;
use crate::ticketing::place::{Epoch, PlaceNumber, Position, Shown};
use crate::time::Timestamp;

/// The most lapsed holds that a step frees before it acts, so that no step is long.
pub const SWEPT_PER_STEP: usize = 100;
/// How long a pin lasts: the time to write an order.
pub const PIN_LASTS: Duration = Duration::from_secs(60);
/// The longest life that a hold may ask for, its extension included.
pub const LONGEST_HOLD: Duration = Duration::from_secs(60 * 60);
/// The most places in one hold.
pub const PLACES_PER_HOLD: u32 = 100;
/// The most holds that a session may have at once, those that became orders not counted.
pub const HOLDS_PER_SESSION: u32 = 20;
/// The most bytes of priced terms that a hold keeps.
pub const TERMS_BYTES: usize = 64 * 1024;

/// The warm state of one event.
#[derive(Debug, Clone)]
pub struct Inventory {
    epoch: Epoch,
    /// The number of the last step that wrote something, within the epoch.
    seq: u64,
    /// The latest moment seen.
    clock: Timestamp,
    /// When this epoch began; unknown holds older than that were lost, not expired.
    installed_at: Timestamp,
    places: Places,
    book: Book,
    log: Log,
    gate: Gate,
    step: Step,
}

/// What the running step has done so far.
#[derive(Debug, Clone, Default)]
struct Step {
    /// How each place touched was shown before the step.
    before: BTreeMap<PlaceNumber, Shown>,
    /// Whether anything was written, seen or unseen.
    wrote: bool,
}

impl Inventory {
    /// Where the log stands.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position { epoch: self.epoch, seq: self.seq }
    }

    /// One atomic step: the clock moves on, lapsed holds go, `act` acts, and what changed becomes one entry of the log.
    /// A refused act writes nothing itself; what was swept stays swept.
    fn step<T>(&mut self, now: Timestamp, act: impl FnOnce(&mut Self) -> Result<T, Refusal>) -> Result<T, Refusal> {
        self.clock = self.clock.max(now);
        self.free_lapsed(SWEPT_PER_STEP);
        let answer = act(self);
        self.close_step();
        answer
    }

    fn close_step(&mut self) {
        let Step { before, wrote } = std::mem::take(&mut self.step);
        if !wrote {
            return;
        }
        self.seq += 1;
        let places = before
            .into_iter()
            .map(|(place, was)| (place, was, self.places.shown(place)))
            .filter(|(_, was, is)| was != is)
            .map(|(place, _, is)| (place, is))
            .collect();
        if !planted(Bug::StepNotLogged) {
            self.log.push(InventoryChange { position: self.position(), places });
        }
    }

    /// The one way in which a place changes its look: bitmaps, counts and log follow.
    fn show(&mut self, place: PlaceNumber, shown: Shown) {
        let was = self.places.show(place, shown);
        if was != shown {
            self.step.before.entry(place).or_insert(was);
            self.step.wrote = true;
        }
    }
}
