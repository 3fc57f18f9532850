//! Stores the holds of each session in memory, newest last, for the session's own page.
//!
//! Never: an unbounded map. Old entries are removed at most once per [`PRUNE_INTERVAL`], and no session is added beyond [`SESSIONS_MAX`].

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use voelgoed_app::ticketing::ports::{EventScope, NOTED_HOLDS_MAX, NOTED_HOLDS_TTL};
use voelgoed_domain::ids::{HoldId, SessionId};
use voelgoed_domain::time::Timestamp;

/// Sessions with entries; further sessions are not stored.
const SESSIONS_MAX: usize = 200_000;
/// The interval between two removals of old entries.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60);

type Entries = VecDeque<(Timestamp, EventScope, HoldId)>;

/// The holds of all sessions.
#[derive(Default)]
pub(super) struct SessionHolds {
    sessions: DashMap<SessionId, Entries>,
    pruned_at: Mutex<Timestamp>,
}

impl SessionHolds {
    /// Adds a hold, or moves it to the end.
    pub(super) fn add(&self, session: SessionId, scope: EventScope, hold: HoldId, now: Timestamp) {
        self.prune(now);
        if self.sessions.len() >= SESSIONS_MAX && !self.sessions.contains_key(&session) {
            return;
        }
        let mut entries = self.sessions.entry(session).or_default();
        if let Some(before) = entries.iter().rposition(|(_, _, known)| *known == hold) {
            entries.remove(before);
        }
        entries.push_back((now, scope, hold));
        while entries.len() > NOTED_HOLDS_MAX {
            entries.pop_front();
        }
    }

    /// The holds of a session, newest first.
    pub(super) fn of(&self, session: SessionId, now: Timestamp) -> Vec<(EventScope, HoldId)> {
        let Some(entries) = self.sessions.get(&session) else { return Vec::new() };
        let recent = entries.iter().rev().filter(|(at, ..)| now.since(*at) < NOTED_HOLDS_TTL);
        recent.map(|(_, scope, hold)| (*scope, *hold)).collect()
    }

    /// Removes all entries.
    pub(super) fn clear(&self) {
        self.sessions.clear();
    }

    fn prune(&self, now: Timestamp) {
        let mut pruned_at = self.pruned_at.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(*pruned_at) < PRUNE_INTERVAL {
            return;
        }
        *pruned_at = now;
        self.sessions.retain(|_, entries| entries.back().is_some_and(|(at, ..)| now.since(*at) < NOTED_HOLDS_TTL));
    }
}
