//! Remembers in this process's memory which holds each session asked for, newest last, for the session's own page.
//!
//! Never: an unbounded map. Old notes are removed at most once a minute, and no session is added beyond [`SESSIONS_MAX`].

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use voelgoed_app::ticketing::ports::{EventScope, NOTED_HOLDS_KEPT, NOTED_HOLDS_MAX};
use voelgoed_domain::ids::{HoldId, SessionId};
use voelgoed_domain::time::Timestamp;

/// Sessions with notes; beyond it, further sessions are not noted.
const SESSIONS_MAX: usize = 200_000;
/// Between two removals of old notes.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60);

type Notes = VecDeque<(Timestamp, EventScope, HoldId)>;

/// The notes of all sessions.
#[derive(Default)]
pub(super) struct Noted {
    sessions: DashMap<SessionId, Notes>,
    pruned_at: Mutex<Timestamp>,
}

impl Noted {
    /// Adds a note; the same hold is noted once.
    pub(super) fn note(&self, session: SessionId, scope: EventScope, hold: HoldId, now: Timestamp) {
        self.prune(now);
        if self.sessions.len() >= SESSIONS_MAX && !self.sessions.contains_key(&session) {
            return;
        }
        let mut notes = self.sessions.entry(session).or_default();
        if let Some(before) = notes.iter().rposition(|(_, _, known)| *known == hold) {
            notes.remove(before);
        }
        notes.push_back((now, scope, hold));
        while notes.len() > NOTED_HOLDS_MAX {
            notes.pop_front();
        }
    }

    /// The notes of a session, newest first.
    pub(super) fn of(&self, session: SessionId, now: Timestamp) -> Vec<(EventScope, HoldId)> {
        let Some(notes) = self.sessions.get(&session) else { return Vec::new() };
        let young = notes.iter().rev().filter(|(at, ..)| now.since(*at) < NOTED_HOLDS_KEPT);
        young.map(|(_, scope, hold)| (*scope, *hold)).collect()
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.sessions.clear();
    }

    fn prune(&self, now: Timestamp) {
        let mut pruned_at = self.pruned_at.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(*pruned_at) < PRUNE_INTERVAL {
            return;
        }
        *pruned_at = now;
        self.sessions.retain(|_, notes| notes.back().is_some_and(|(at, ..)| now.since(*at) < NOTED_HOLDS_KEPT));
    }
}
