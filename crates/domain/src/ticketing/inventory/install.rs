//! An event's warm state is made anew from cold, under a higher epoch.
//!
//! Never: brings back what cold has sold, or drops what the old state learned after cold was read: of each place the higher version counts, and
//! what the gate knew stays known. Holds that conflict with nothing stay; every other is lost.

use voelgoed_planted::{Bug, planted};

use super::book::{Book, Holding};
use super::gate::Gate;
use super::log::Log;
use super::places::Places;
use super::values::{Install, InstallRefused};
use super::{Inventory, Step};
use crate::ticketing::hold::HoldPhase;
use crate::ticketing::place::{PlaceNumber, Shown};
use crate::time::Timestamp;

impl Inventory {
    /// The state that cold describes, with what may survive of `previous`.
    ///
    /// # Errors
    /// [`InstallRefused`], and `previous` stays as it is.
    pub fn install(previous: Option<&Self>, install: Install, now: Timestamp) -> Result<Self, InstallRefused> {
        if let Some(old) = previous
            && install.epoch <= old.epoch
            && !planted(Bug::EpochNotHigher)
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
                places.show(row.place, row.state.into());
            }
        }
        let clock = previous.map_or(now, |old| old.clock.max(now));
        let mut gate =
            Gate { admitted: install.admitted.into_iter().collect(), revoked: install.revoked.into_iter().collect() };
        let mut book = Book::default();
        if let Some(old) = previous {
            gate.admitted.extend(&old.gate.admitted);
            gate.revoked.extend(&old.gate.revoked);
            if old.places.areas() == places.areas() {
                old.hand_over_news(&mut places);
                old.hand_over_holds(&mut places, &mut book, clock);
            }
        }
        Ok(Self {
            epoch: install.epoch,
            seq: 0,
            clock,
            installed_at: clock,
            places,
            book,
            log: Log::default(),
            gate,
            step: Step::default(),
        })
    }

    /// What cold decided after the rebuild had read it.
    fn hand_over_news(&self, places: &mut Places) {
        for place in (0..places.len()).map(PlaceNumber) {
            if self.places.version(place) > places.version(place) {
                let held = self.book.holder(place).is_some();
                places.set_version(place, self.places.version(place));
                places.show(place, if held { Shown::Free } else { self.places.shown(place) });
            }
        }
    }

    fn hand_over_holds(&self, places: &mut Places, book: &mut Book, now: Timestamp) {
        for holding in self.book.iter().filter(|holding| holding.lapses_at() > now) {
            let claimed = matches!(holding.record.phase, HoldPhase::Claimed { .. });
            if !claimed && !self.survives(holding, places) {
                continue;
            }
            book.enter(holding.clone());
            for place in self.book.reach(holding) {
                if places.shown(place) == Shown::Free {
                    book.take(place, holding.record.hold);
                    places.show(place, Shown::Held);
                }
            }
        }
    }

    /// Whether all that was granted is still this hold's, and free in cold.
    fn survives(&self, holding: &Holding, places: &Places) -> bool {
        planted(Bug::ConflictingHoldSurvives)
            || holding
                .granted()
                .all(|place| self.book.holder(place) == Some(holding.record.hold) && places.shown(place) == Shown::Free)
    }
}
