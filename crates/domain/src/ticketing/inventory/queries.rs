//! Reads an inventory: a hold, the places of a session, a snapshot, and the changes since a position.

use super::hold_index::StoredHold;
use super::snapshot::{CatchUp, InventorySnapshot};
use super::{Inventory, refusals};
use crate::ids::{HoldId, SessionId};
use crate::refusal::Refusal;
use crate::ticketing::hold::{HoldPhase, HoldRecord};
use crate::ticketing::hold_limits::HOLD_DURATION_MAX;
use crate::ticketing::place::Position;
use crate::time::Timestamp;

impl Inventory {
    /// The hold's record at `now`.
    ///
    /// # Errors
    /// `hold_expired`, or `hold_lost` where it may have been granted before this epoch began.
    pub fn read_hold(&mut self, hold: HoldId, now: Timestamp) -> Result<HoldRecord, Refusal> {
        self.run_step(now, |inventory| inventory.live_hold(hold).map(|holding| holding.at(inventory.clock)))
    }

    /// How many places the holds of a session have.
    pub fn held_by(&mut self, session: SessionId, now: Timestamp) -> u32 {
        self.clock = self.clock.max(now);
        self.free_expired(super::FREED_PER_STEP_MAX);
        self.finish_step();
        self.holds.usage(session).places
    }

    /// True where there is any hold, claimed ones included; no other store has them.
    #[must_use]
    pub fn has_holds(&self) -> bool {
        self.holds.iter().next().is_some()
    }

    /// The display state of every place at the current position.
    #[must_use]
    pub fn snapshot(&self) -> InventorySnapshot {
        self.places.snapshot(self.position())
    }

    /// The changes after `since`, or a snapshot where the log no longer has all of them.
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

    /// The hold, unless it has expired; whether an expired hold was freed already makes no difference.
    pub(super) fn live_hold(&self, hold: HoldId) -> Result<&StoredHold, Refusal> {
        let is_live = |holding: &&StoredHold| holding.ends_at() > self.clock;
        self.holds.get(hold).filter(is_live).ok_or_else(|| self.missing_hold(hold))
    }

    /// The hold, unless an order is being written from it or was.
    pub(super) fn active_hold(&self, hold: HoldId) -> Result<&StoredHold, Refusal> {
        let holding = self.live_hold(hold)?;
        match holding.at(self.clock).phase {
            HoldPhase::Active => Ok(holding),
            HoldPhase::Pinned { .. } => Err(refusals::order_in_progress()),
            HoldPhase::Claimed { order } => Err(refusals::already_ordered(order)),
        }
    }

    /// Why there is no live hold. An id that was created before this epoch, and could still be live, belongs to a hold that was lost.
    fn missing_hold(&self, hold: HoldId) -> Refusal {
        let lost = self.holds.get(hold).is_none()
            && id_created_at(hold)
                .is_some_and(|at| at < self.installed_at && self.installed_at.since(at) < HOLD_DURATION_MAX);
        if lost { refusals::hold_lost() } else { refusals::hold_expired() }
    }
}

/// When a hold's id was created, read from its version 7 timestamp; none for other versions.
#[must_use]
pub fn id_created_at(hold: HoldId) -> Option<Timestamp> {
    let (seconds, nanos) = hold.uuid().get_timestamp()?.to_unix();
    Some(Timestamp::from_micros(
        i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000) + i64::from(nanos / 1000),
    ))
}
