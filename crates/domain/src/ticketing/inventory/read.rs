//! What can be asked of an inventory: a hold, a session's places, the whole state, what happened since.

use voelgoed_planted::{Bug, planted};

use super::book::Holding;
use super::values::{CatchUp, InventorySnapshot};
use super::{Inventory, LONGEST_HOLD, refusals};
use crate::ids::{HoldId, SessionId};
use crate::refusal::Refusal;
use crate::ticketing::hold::{HoldPhase, HoldRecord};
use crate::ticketing::place::Position;
use crate::time::Timestamp;

impl Inventory {
    /// The hold as it stands.
    ///
    /// # Errors
    /// `hold_expired`, or `hold_lost` where it may have been granted before this epoch began.
    pub fn read_hold(&mut self, hold: HoldId, now: Timestamp) -> Result<HoldRecord, Refusal> {
        self.step(now, |inventory| inventory.live(hold).map(|holding| holding.at(inventory.clock)))
    }

    /// How many places a session has in the reach of its holds.
    pub fn held_by(&mut self, session: SessionId, now: Timestamp) -> u32 {
        self.clock = self.clock.max(now);
        self.free_lapsed(super::SWEPT_PER_STEP);
        self.close_step();
        self.book.tally(session).places
    }

    /// Whether anything is held or was claimed out of a hold: what only this state knows.
    #[must_use]
    pub fn has_holds(&self) -> bool {
        self.book.iter().next().is_some()
    }

    /// The whole state.
    #[must_use]
    pub fn snapshot(&self) -> InventorySnapshot {
        self.places.snapshot(self.position())
    }

    /// What happened after `since`; the whole state where that is not known step by step.
    #[must_use]
    pub fn changes_since(&self, since: Position) -> CatchUp {
        if since == self.position() {
            return CatchUp::Changes(Vec::new());
        }
        if since.epoch == self.epoch
            && since.seq < self.seq
            && let Some(changes) = self.log.after(since.seq)
        {
            return CatchUp::Changes(changes);
        }
        CatchUp::Snapshot(self.snapshot())
    }

    /// The hold, unless it has lapsed, swept or not.
    pub(super) fn live(&self, hold: HoldId) -> Result<&Holding, Refusal> {
        let lives = |holding: &&Holding| {
            holding.lapses_at() > self.clock || planted(Bug::LapsesOneLate) && holding.lapses_at() == self.clock
        };
        self.book.get(hold).filter(lives).ok_or_else(|| self.gone(hold))
    }

    /// The hold, while no order is written from it and none was.
    pub(super) fn active(&self, hold: HoldId) -> Result<&Holding, Refusal> {
        let holding = self.live(hold)?;
        match holding.at(self.clock).phase {
            HoldPhase::Active => Ok(holding),
            HoldPhase::Pinned { .. } => Err(refusals::being_ordered()),
            HoldPhase::Claimed { order } => Err(refusals::ordered(order)),
        }
    }

    /// Why an unknown hold is not here. Its id says when it was minted: before this epoch and young enough to have lived, it was lost.
    fn gone(&self, hold: HoldId) -> Refusal {
        let lost = self.book.get(hold).is_none()
            && minted(hold).is_some_and(|at| at < self.installed_at && self.installed_at.since(at) < LONGEST_HOLD);
        if lost { refusals::hold_lost() } else { refusals::hold_expired() }
    }
}

/// When a hold's id was made, as the id itself says; ids of other making say nothing.
#[must_use]
pub fn minted(hold: HoldId) -> Option<Timestamp> {
    let (seconds, nanos) = hold.uuid().get_timestamp()?.to_unix();
    Some(Timestamp::from_micros(
        i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000) + i64::from(nanos / 1000),
    ))
}
