//! The warm state of one event as a pure state machine: the memory store runs it, and tests judge every other store by it.
//!
//! Never: sells a place (cold does, P1), reads a clock (`now` is an argument and never goes backwards), or leaves a step half done.
//! Each command is one atomic step: free at most [`FREED_PER_STEP_MAX`] expired holds, act, append one entry to the change log. A place is free
//! unless exactly one hold or the cold tier has it (P4). To add a command: a file beside these, through [`Inventory::run_step`], and a row in the oracle.

mod allocate;
mod apply_effects;
mod change_hold;
mod change_log;
mod free_expired_holds;
mod gate_filter;
mod grant_hold;
mod hold_index;
mod install;
mod pin_hold;
mod place_bitmaps;
mod queries;
pub mod refusals;
mod release_hold;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

pub use change_log::{LOG_CHANGES_MAX, LOG_STEPS_MAX};
pub use gate_filter::GateFilter;
pub use install::{Install, InstallRefused};
pub use queries::id_created_at;
pub use snapshot::{AreaCounts, AreaSpan, CatchUp, InventoryChange, InventorySnapshot};

use self::change_log::ChangeLog;
use self::gate_filter::SeenTickets;
use self::hold_index::HoldIndex;
use self::place_bitmaps::Places;

use crate::refusal::Refusal;
use crate::ticketing::place::{DisplayState, Epoch, Position};
use crate::ticketing::place_number::PlaceNumber;
use crate::time::Timestamp;

/// How many expired holds a step frees before it acts; bounds the time of a step.
pub const FREED_PER_STEP_MAX: usize = 100;
/// How long a pin lasts: the time that writing an order may take.
pub const PIN_DURATION: Duration = Duration::from_secs(60);

/// The warm state of one event.
#[derive(Debug, Clone)]
pub struct Inventory {
    epoch: Epoch,
    /// The number of the last step that wrote something, within the epoch.
    seq: u64,
    /// The latest `now` of any command.
    clock: Timestamp,
    /// When this epoch began; an unknown hold with an older id was lost, not expired.
    installed_at: Timestamp,
    places: Places,
    holds: HoldIndex,
    log: ChangeLog,
    seen_tickets: SeenTickets,
    step: StepChanges,
}

/// What the running step has changed so far.
#[derive(Debug, Clone, Default)]
struct StepChanges {
    /// The display state before the step, of each place that the step touched.
    before: BTreeMap<PlaceNumber, DisplayState>,
    /// True where the step wrote anything, displayed or not.
    wrote: bool,
}

impl Inventory {
    /// The position of the last logged change.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position { epoch: self.epoch, seq: self.seq }
    }

    /// Runs one atomic step: advances the clock, frees expired holds, runs `act`, and logs all changes as one entry.
    /// A refused act writes nothing; holds that the step expired stay expired.
    fn run_step<T>(&mut self, now: Timestamp, act: impl FnOnce(&mut Self) -> Result<T, Refusal>) -> Result<T, Refusal> {
        self.clock = self.clock.max(now);
        self.free_expired(FREED_PER_STEP_MAX);
        let result = act(self);
        self.finish_step();
        result
    }

    fn finish_step(&mut self) {
        let StepChanges { before, wrote } = std::mem::take(&mut self.step);
        if !wrote {
            return;
        }
        self.seq += 1;
        let places = before
            .into_iter()
            .map(|(place, was)| (place, was, self.places.display_state(place)))
            .filter(|(_, was, is)| was != is)
            .map(|(place, _, is)| (place, is))
            .collect();
        self.log.push(InventoryChange { position: self.position(), places });
    }

    /// The only way to change a display state: keeps bitmaps, counts and log consistent.
    fn set_display_state(&mut self, place: PlaceNumber, state: DisplayState) {
        let was = self.places.set_display_state(place, state);
        if was != state {
            self.step.before.entry(place).or_insert(was);
            self.step.wrote = true;
        }
    }
}
