//! Rebuilds an event's warm state from cold under a higher epoch, keeping the holds that conflict with nothing.
//!
//! Never: brings back a place that cold has sold, or drops a change that arrived after cold was read: the higher version of each place wins, and
//! admitted and revoked tickets stay known. A hold with a conflicting place is lost.

use super::change_log::ChangeLog;
use super::gate_filter::SeenTickets;
use super::hold_index::{HoldIndex, StoredHold};
use super::place_bitmaps::Places;
use super::snapshot::AreaSpan;
use super::{Inventory, StepChanges};
use crate::ids::TicketId;
use crate::ticketing::hold::HoldPhase;
use crate::ticketing::place::{DisplayState, Epoch, PlaceEffect};
use crate::ticketing::place_number::PlaceNumber;
use crate::time::Timestamp;

/// The state of an event as cold has it, from which the warm state is rebuilt.
#[derive(Debug, Clone)]
pub struct Install {
    /// Must be above the installed epoch.
    pub epoch: Epoch,
    /// The areas, in place order; they cover `0..n`.
    pub areas: Vec<AreaSpan>,
    /// Every place that has a row in cold.
    pub places: Vec<PlaceEffect>,
    /// Tickets that no longer admit.
    pub revoked: Vec<TicketId>,
    /// Tickets that have been admitted.
    pub admitted: Vec<TicketId>,
}

/// Why a rebuild was refused; the installed state stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstallRefused {
    /// Another rebuild with this epoch or a higher one came first.
    #[error("epoch {} is not above the installed epoch {}", offered.0, installed.0)]
    EpochNotHigher {
        /// The epoch of the refused rebuild.
        offered: Epoch,
        /// The epoch that stays.
        installed: Epoch,
    },
    /// The areas do not cover `0..n` in order, or a row names a place beyond them.
    #[error("areas and places contradict each other at place {0}")]
    Malformed(u32),
}

impl Inventory {
    /// Builds the state that cold describes and keeps the newer versions, live holds and seen tickets of `previous`.
    ///
    /// # Errors
    /// [`InstallRefused`]; `previous` stays in use.
    pub fn install(previous: Option<&Self>, install: Install, now: Timestamp) -> Result<Self, InstallRefused> {
        if let Some(old) = previous
            && install.epoch <= old.epoch
        {
            return Err(InstallRefused::EpochNotHigher { offered: install.epoch, installed: old.epoch });
        }
        let mut places = Places::new(install.areas).map_err(InstallRefused::Malformed)?;
        for row in &install.places {
            if !places.has(row.place) {
                return Err(InstallRefused::Malformed(row.place.0));
            }
            if row.version >= places.version(row.place) {
                places.set_version(row.place, row.version);
                places.set_display_state(row.place, row.state.into());
            }
        }
        let clock = previous.map_or(now, |old| old.clock.max(now));
        let mut seen_tickets = SeenTickets {
            admitted: install.admitted.into_iter().collect(),
            revoked: install.revoked.into_iter().collect(),
        };
        let mut holds = HoldIndex::default();
        if let Some(old) = previous {
            seen_tickets.admitted.extend(&old.seen_tickets.admitted);
            seen_tickets.revoked.extend(&old.seen_tickets.revoked);
            if old.places.areas() == places.areas() {
                old.keep_newer_versions(&mut places);
                old.keep_live_holds(&mut places, &mut holds, clock);
            }
        }
        Ok(Self {
            epoch: install.epoch,
            seq: 0,
            clock,
            installed_at: clock,
            places,
            holds,
            log: ChangeLog::default(),
            seen_tickets,
            step: StepChanges::default(),
        })
    }

    /// Keeps the places that cold changed after the rebuild had read it.
    fn keep_newer_versions(&self, places: &mut Places) {
        for place in (0..places.len()).map(PlaceNumber) {
            if self.places.version(place) > places.version(place) {
                let held = self.holds.holder(place).is_some();
                places.set_version(place, self.places.version(place));
                places
                    .set_display_state(place, if held { DisplayState::Free } else { self.places.display_state(place) });
            }
        }
    }

    fn keep_live_holds(&self, places: &mut Places, holds: &mut HoldIndex, now: Timestamp) {
        for holding in self.holds.iter().filter(|holding| holding.ends_at() > now) {
            let claimed = matches!(holding.record.phase, HoldPhase::Claimed { .. });
            if !claimed && !self.survives(holding, places) {
                continue;
            }
            holds.insert(holding.clone());
            for place in self.holds.held_places(holding) {
                if places.display_state(place) == DisplayState::Free {
                    holds.assign(place, holding.record.hold);
                    places.set_display_state(place, DisplayState::Held);
                }
            }
        }
    }

    /// True where the hold still has every granted place and each of them is free in cold.
    fn survives(&self, holding: &StoredHold, places: &Places) -> bool {
        holding.granted().all(|place| {
            self.holds.holder(place) == Some(holding.record.hold) && places.display_state(place) == DisplayState::Free
        })
    }
}
