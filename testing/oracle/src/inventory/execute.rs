//! Executes a command on the model and returns the expected outcome.

use std::time::Duration;

use voelgoed_domain::ids::{HoldId, OrderId};
use voelgoed_domain::refusal::{Code, RefusalEvidence};
use voelgoed_domain::ticketing::hold::HoldRequest;
use voelgoed_domain::ticketing::hold_limits::HOLD_DURATION_MAX;
use voelgoed_domain::ticketing::inventory::{FREED_PER_STEP_MAX, GateFilter, Install, PIN_DURATION};
use voelgoed_domain::ticketing::place::{PlaceEffect, PlaceState};
use voelgoed_domain::time::Timestamp;

use super::command::{InventoryCommand, InventoryOutcome, InventoryReply, ModelRefusal};
use super::{Hold, InventoryModel};

fn refused(code: Code) -> ModelRefusal {
    Box::new((code, RefusalEvidence::default()))
}

impl InventoryModel {
    /// The state after the first installation, which must be valid.
    #[must_use]
    pub fn new(install: Install, now: Timestamp) -> Self {
        let mut model = Self {
            epoch: install.epoch,
            seq: 0,
            clock: now,
            installed_at: now,
            areas: install.areas,
            cold: vec![],
            holds: vec![],
            admitted: install.admitted,
            revoked: install.revoked,
        };
        let size = model.areas.last().map_or(0, |span| span.places.end);
        model.cold = (0..size).map(|place| last_row(&install.places, place)).collect();
        model
    }

    /// Executes the command at `now` and returns the outcome that every implementation must have.
    pub fn execute(&mut self, command: InventoryCommand, now: Timestamp) -> InventoryOutcome {
        match command {
            InventoryCommand::Install(install) => return Ok(self.install(install, now)),
            InventoryCommand::Admitted(ticket) => self.admitted.push(ticket),
            InventoryCommand::Revoked(tickets) => self.revoked.extend(tickets),
            InventoryCommand::Filter(ticket) => {
                let filter = match (self.revoked.contains(&ticket), self.admitted.contains(&ticket)) {
                    (true, _) => GateFilter::Revoked,
                    (false, true) => GateFilter::Admitted,
                    (false, false) => GateFilter::Unseen,
                };
                return Ok(InventoryReply::Filter(filter));
            }
            command => return self.execute_step(command, now),
        }
        Ok(InventoryReply::Done)
    }

    /// Executes a command that first advances the clock and frees expired holds.
    fn execute_step(&mut self, command: InventoryCommand, now: Timestamp) -> InventoryOutcome {
        let before = self.clone();
        self.clock = self.clock.max(now);
        let always_logs = matches!(command, InventoryCommand::Pin { .. } | InventoryCommand::Change(_));
        let is_apply = matches!(command, InventoryCommand::Apply { .. });
        let limit = if let InventoryCommand::FreeExpired(limit) = command { limit } else { FREED_PER_STEP_MAX };
        let freed = self.free_expired_holds(limit);
        let outcome = match command {
            InventoryCommand::Hold(request) => {
                self.hold(request).map(|hold| InventoryReply::Hold(hold.record(self.clock)))
            }
            InventoryCommand::Change(request) => {
                self.change(request).map(|hold| InventoryReply::Hold(hold.record(self.clock)))
            }
            InventoryCommand::Read(hold) => {
                self.live_hold(hold).map(|at| InventoryReply::Hold(self.holds[at].record(self.clock)))
            }
            InventoryCommand::Release(hold) => self.release(hold),
            InventoryCommand::Pin(hold) => self.pin(hold).map(|hold| InventoryReply::Hold(hold.record(self.clock))),
            InventoryCommand::Unpin(hold) => {
                if let Some(at) = self.find(hold).filter(|at| self.holds[*at].order.is_none()) {
                    self.holds[at].pinned_until = None;
                }
                Ok(InventoryReply::Done)
            }
            InventoryCommand::Apply { claimed_by, effects } => {
                self.apply(claimed_by, &effects);
                Ok(InventoryReply::Done)
            }
            InventoryCommand::FreeExpired(_) => Ok(InventoryReply::Count(freed)),
            InventoryCommand::HeldBy(session) => {
                let of_session = self.holds.iter().filter(|hold| hold.session == session);
                Ok(InventoryReply::Count(of_session.map(|hold| hold.own.len()).sum()))
            }
            // `execute` handles the other commands itself.
            _ => Ok(InventoryReply::Done),
        };
        let is_unchanged = Self { clock: self.clock, ..before } == *self;
        if !is_unchanged || (always_logs && outcome.is_ok()) {
            self.seq += 1;
        }
        if is_apply { Ok(InventoryReply::Position(self.position())) } else { outcome }
    }

    fn find(&self, hold: HoldId) -> Option<usize> {
        self.holds.iter().position(|known| known.id == hold)
    }

    fn live_hold(&self, hold: HoldId) -> Result<usize, ModelRefusal> {
        match self.find(hold) {
            Some(at) if self.holds[at].ends_at() > self.clock => Ok(at),
            Some(_) => Err(refused(Code::HoldExpired)),
            None => {
                let (seconds, nanos) = hold.uuid().get_timestamp().map_or((0, 0), |at| at.to_unix());
                let minted = i64::try_from(seconds).unwrap_or(0) * 1_000_000 + i64::from(nanos / 1000);
                let age = self.installed_at.micros() - minted;
                let lost = age > 0 && u128::from(age.unsigned_abs()) < HOLD_DURATION_MAX.as_micros();
                Err(refused(if lost { Code::HoldLost } else { Code::HoldExpired }))
            }
        }
    }

    fn free_expired_holds(&mut self, limit: usize) -> usize {
        let mut expired: Vec<_> = self.holds.iter().filter(|hold| hold.ends_at() <= self.clock).cloned().collect();
        expired.sort_by_key(|hold| (hold.ends_at(), hold.id));
        expired.truncate(limit);
        self.holds.retain(|hold| !expired.contains(hold));
        expired.len()
    }

    fn hold(&mut self, request: HoldRequest) -> Result<Hold, ModelRefusal> {
        if self.find(request.hold).is_some() {
            let at = self.live_hold(request.hold)?;
            let known = &self.holds[at];
            return if known.session == request.session { Ok(known.clone()) } else { Err(refused(Code::NotFound)) };
        }
        let granted = self.choose_places(&request, None)?;
        let hold = Hold {
            id: request.hold,
            session: request.session,
            own: granted.concat(),
            granted,
            terms: request.terms,
            expires_at: self.clock.plus(Duration::from_millis(request.lasts_millis)),
            pinned_until: None,
            order: None,
            epoch: self.epoch,
            version: 1,
            address: request.address,
        };
        self.holds.push(hold.clone());
        Ok(hold)
    }

    fn change(&mut self, request: HoldRequest) -> Result<Hold, ModelRefusal> {
        let at = self.live_hold(request.hold)?;
        if self.holds[at].session != request.session {
            return Err(refused(Code::NotFound));
        }
        self.require_changeable(at)?;
        if self.holds[at].version != request.expected_version {
            return Err(refused(Code::HoldChanged));
        }
        let own = self.holds[at].own.clone();
        let granted = self.choose_places(&request, Some(&own))?;
        let hold = &mut self.holds[at];
        hold.own = granted.concat();
        hold.granted = granted;
        hold.terms = request.terms;
        hold.version += 1;
        Ok(hold.clone())
    }

    /// Refuses if the hold is pinned or ordered.
    fn require_changeable(&self, at: usize) -> Result<(), ModelRefusal> {
        let hold = &self.holds[at];
        match (hold.order, hold.pinned_until) {
            (Some(order), _) => Err(Box::new((
                Code::AlreadyOrdered,
                RefusalEvidence { order: Some(order), ..RefusalEvidence::default() },
            ))),
            (None, Some(until)) if until > self.clock => Err(refused(Code::AlreadyOrdered)),
            (None, _) => Ok(()),
        }
    }

    fn release(&mut self, hold: HoldId) -> InventoryOutcome {
        if let Ok(at) = self.live_hold(hold) {
            self.require_changeable(at)?;
            self.holds.remove(at);
        }
        Ok(InventoryReply::Done)
    }

    fn pin(&mut self, hold: HoldId) -> Result<Hold, ModelRefusal> {
        let at = self.live_hold(hold)?;
        let clock = self.clock;
        let hold = &mut self.holds[at];
        if let Some(order) = hold.order {
            return Err(Box::new((
                Code::AlreadyOrdered,
                RefusalEvidence { order: Some(order), ..RefusalEvidence::default() },
            )));
        }
        let places: Vec<_> = hold.granted.iter().flatten().copied().filter(|place| !hold.own.contains(place)).collect();
        if !places.is_empty() {
            return Err(Box::new((Code::PlaceTaken, RefusalEvidence { places, ..RefusalEvidence::default() })));
        }
        hold.pinned_until = Some(clock.plus(PIN_DURATION));
        Ok(hold.clone())
    }

    fn apply(&mut self, claimed_by: Option<(HoldId, OrderId)>, effects: &[PlaceEffect]) {
        let claimant = claimed_by.and_then(|(hold, _)| self.find(hold));
        if let (Some(at), Some((_, order))) = (claimant, claimed_by) {
            self.holds[at].order.get_or_insert(order);
        }
        for effect in effects {
            let Some(known) = self.cold.get_mut(effect.place.index()) else { continue };
            let is_newer = effect.version.0 > known.1;
            if is_newer {
                *known = (effect.state, effect.version.0);
            }
            for (at, hold) in self.holds.iter_mut().enumerate() {
                let leaves = if is_newer { effect.state != PlaceState::Free } else { Some(at) == claimant };
                if leaves {
                    hold.own.retain(|place| *place != effect.place);
                }
            }
        }
    }

    fn install(&mut self, install: Install, now: Timestamp) -> InventoryReply {
        if install.epoch <= self.epoch {
            return InventoryReply::Unloaded;
        }
        let clock = self.clock.max(now);
        let mut next = Self::new(install, clock);
        next.admitted.extend(&self.admitted);
        next.revoked.extend(&self.revoked);
        if next.areas == self.areas {
            for (known, row) in self.cold.iter().zip(&mut next.cold) {
                if known.1 > row.1 {
                    *row = *known;
                }
            }
            let cold = next.cold.clone();
            let free = |hold: &Hold| hold.own.iter().all(|place| cold[place.index()].0 == PlaceState::Free);
            let whole = |hold: &Hold| hold.granted.concat().iter().all(|place| hold.own.contains(place));
            for hold in self.holds.iter().filter(|hold| hold.ends_at() > clock) {
                let mut hold = hold.clone();
                if hold.order.is_some() {
                    hold.own.retain(|place| cold[place.index()].0 == PlaceState::Free);
                } else if !(whole(&hold) && free(&hold)) {
                    continue;
                }
                next.holds.push(hold);
            }
        }
        *self = next;
        InventoryReply::Position(self.position())
    }
}

/// State and version of a place by cold's rows: the highest version counts, and the last row among equals.
fn last_row(rows: &[PlaceEffect], place: u32) -> (PlaceState, u32) {
    let mut known = (PlaceState::Free, 0);
    for row in rows.iter().filter(|row| row.place.0 == place) {
        if row.version.0 >= known.1 {
            known = (row.state, row.version.0);
        }
    }
    known
}
