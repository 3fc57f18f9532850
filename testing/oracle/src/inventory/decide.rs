//! What each command must answer and do.

use std::time::Duration;

use voelgoed_domain::ids::{HoldId, OrderId};
use voelgoed_domain::refusal::{Code, Evidence};
use voelgoed_domain::ticketing::hold::HoldRequest;
use voelgoed_domain::ticketing::inventory::{GateFilter, Install, LONGEST_HOLD, PIN_LASTS, SWEPT_PER_STEP};
use voelgoed_domain::ticketing::place::{PlaceEffect, PlaceState};
use voelgoed_domain::time::Timestamp;

use super::command::{Command, Told, Verdict};
use super::{Hold, Model};

type No = Box<(Code, Evidence)>;

fn no(code: Code) -> No {
    Box::new((code, Evidence::default()))
}

impl Model {
    /// The first state of an event. Its installation must be sound.
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

    /// What the command must answer at `now`; the model is what it must be afterwards.
    pub fn decide(&mut self, command: Command, now: Timestamp) -> Verdict {
        match command {
            Command::Install(install) => return Ok(self.install(install, now)),
            Command::Admitted(ticket) => self.admitted.push(ticket),
            Command::Revoked(tickets) => self.revoked.extend(tickets),
            Command::Filter(ticket) => {
                let filter = match (self.revoked.contains(&ticket), self.admitted.contains(&ticket)) {
                    (true, _) => GateFilter::Revoked,
                    (false, true) => GateFilter::Admitted,
                    (false, false) => GateFilter::Unseen,
                };
                return Ok(Told::Filter(filter));
            }
            command => return self.step(command, now),
        }
        Ok(Told::Done)
    }

    /// A command that moves the clock and sweeps first.
    fn step(&mut self, command: Command, now: Timestamp) -> Verdict {
        let before = self.clone();
        self.clock = self.clock.max(now);
        let always_counts = matches!(command, Command::Pin { .. } | Command::Change(_));
        let applies = matches!(command, Command::Apply { .. });
        let most = if let Command::Sweep(most) = command { most } else { SWEPT_PER_STEP };
        let swept = self.sweep(most);
        let verdict = match command {
            Command::Hold(request) => self.hold(request).map(|hold| Told::Hold(hold.record(self.clock))),
            Command::Change(request) => self.change(request).map(|hold| Told::Hold(hold.record(self.clock))),
            Command::Read(hold) => self.living(hold).map(|at| Told::Hold(self.holds[at].record(self.clock))),
            Command::Release(hold) => self.release(hold),
            Command::Pin(hold) => self.pin(hold).map(|hold| Told::Hold(hold.record(self.clock))),
            Command::Unpin(hold) => {
                if let Some(at) = self.find(hold).filter(|at| self.holds[*at].order.is_none()) {
                    self.holds[at].pinned_until = None;
                }
                Ok(Told::Done)
            }
            Command::Apply { claimed_by, effects } => {
                self.apply(claimed_by, &effects);
                Ok(Told::Done)
            }
            Command::Sweep(_) => Ok(Told::Count(swept)),
            Command::HeldBy(session) => {
                let theirs = self.holds.iter().filter(|hold| hold.session == session);
                Ok(Told::Count(theirs.map(|hold| hold.own.len()).sum()))
            }
            // The others do not come here.
            _ => Ok(Told::Done),
        };
        let same = Self { clock: self.clock, ..before } == *self;
        if !same || (always_counts && verdict.is_ok()) {
            self.seq += 1;
        }
        if applies { Ok(Told::Position(self.position())) } else { verdict }
    }

    fn find(&self, hold: HoldId) -> Option<usize> {
        self.holds.iter().position(|known| known.id == hold)
    }

    fn living(&self, hold: HoldId) -> Result<usize, No> {
        match self.find(hold) {
            Some(at) if self.holds[at].ends_at() > self.clock => Ok(at),
            Some(_) => Err(no(Code::HoldExpired)),
            None => {
                let (seconds, nanos) = hold.uuid().get_timestamp().map_or((0, 0), |at| at.to_unix());
                let minted = i64::try_from(seconds).unwrap_or(0) * 1_000_000 + i64::from(nanos / 1000);
                let age = self.installed_at.micros() - minted;
                let lost = age > 0 && u128::from(age.unsigned_abs()) < LONGEST_HOLD.as_micros();
                Err(no(if lost { Code::HoldLost } else { Code::HoldExpired }))
            }
        }
    }

    fn sweep(&mut self, most: usize) -> usize {
        let mut lapsed: Vec<_> = self.holds.iter().filter(|hold| hold.ends_at() <= self.clock).cloned().collect();
        lapsed.sort_by_key(|hold| (hold.ends_at(), hold.id));
        lapsed.truncate(most);
        self.holds.retain(|hold| !lapsed.contains(hold));
        lapsed.len()
    }

    fn hold(&mut self, request: HoldRequest) -> Result<Hold, No> {
        if self.find(request.hold).is_some() {
            let at = self.living(request.hold)?;
            let known = &self.holds[at];
            return if known.session == request.session { Ok(known.clone()) } else { Err(no(Code::NotFound)) };
        }
        let granted = self.choose(&request, None)?;
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

    fn change(&mut self, request: HoldRequest) -> Result<Hold, No> {
        let at = self.living(request.hold)?;
        if self.holds[at].session != request.session {
            return Err(no(Code::NotFound));
        }
        self.untouched(at)?;
        if self.holds[at].version != request.of_version {
            return Err(no(Code::HoldChanged));
        }
        let own = self.holds[at].own.clone();
        let granted = self.choose(&request, Some(&own))?;
        let hold = &mut self.holds[at];
        hold.own = granted.concat();
        hold.granted = granted;
        hold.terms = request.terms;
        hold.version += 1;
        Ok(hold.clone())
    }

    /// Refuses where an order is being made of the hold, or was.
    fn untouched(&self, at: usize) -> Result<(), No> {
        let hold = &self.holds[at];
        match (hold.order, hold.pinned_until) {
            (Some(order), _) => {
                Err(Box::new((Code::AlreadyOrdered, Evidence { order: Some(order), ..Evidence::default() })))
            }
            (None, Some(until)) if until > self.clock => Err(no(Code::AlreadyOrdered)),
            (None, _) => Ok(()),
        }
    }

    fn release(&mut self, hold: HoldId) -> Verdict {
        if let Ok(at) = self.living(hold) {
            self.untouched(at)?;
            self.holds.remove(at);
        }
        Ok(Told::Done)
    }

    fn pin(&mut self, hold: HoldId) -> Result<Hold, No> {
        let at = self.living(hold)?;
        let clock = self.clock;
        let hold = &mut self.holds[at];
        if let Some(order) = hold.order {
            return Err(Box::new((Code::AlreadyOrdered, Evidence { order: Some(order), ..Evidence::default() })));
        }
        let places: Vec<_> = hold.granted.iter().flatten().copied().filter(|place| !hold.own.contains(place)).collect();
        if !places.is_empty() {
            return Err(Box::new((Code::PlaceTaken, Evidence { places, ..Evidence::default() })));
        }
        hold.pinned_until = Some(clock.plus(PIN_LASTS));
        Ok(hold.clone())
    }

    fn apply(&mut self, claimed_by: Option<(HoldId, OrderId)>, effects: &[PlaceEffect]) {
        let claimant = claimed_by.and_then(|(hold, _)| self.find(hold));
        if let (Some(at), Some((_, order))) = (claimant, claimed_by) {
            self.holds[at].order.get_or_insert(order);
        }
        for effect in effects {
            let Some(known) = self.cold.get_mut(effect.place.index()) else { continue };
            let news = effect.version.0 > known.1;
            if news {
                *known = (effect.state, effect.version.0);
            }
            for (at, hold) in self.holds.iter_mut().enumerate() {
                let leaves = if news { effect.state != PlaceState::Free } else { Some(at) == claimant };
                if leaves {
                    hold.own.retain(|place| *place != effect.place);
                }
            }
        }
    }

    fn install(&mut self, install: Install, now: Timestamp) -> Told {
        if install.epoch <= self.epoch {
            return Told::Unloaded;
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
        Told::Position(self.position())
    }
}

/// What cold's rows say of a place: the one of the highest version, the last where several have it.
fn last_row(rows: &[PlaceEffect], place: u32) -> (PlaceState, u32) {
    let mut known = (PlaceState::Free, 0);
    for row in rows.iter().filter(|row| row.place.0 == place) {
        if row.version.0 >= known.1 {
            known = (row.state, row.version.0);
        }
    }
    known
}
