//! Streams of counts in this process's memory.
//!
//! Never: more entries of an event than the port says; the oldest give way.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::analytics::ports::{CountStream, Counted, Counts, MOST_KEPT};
use voelgoed_app::error::StoreResult;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::time::Timestamp;

use super::MemoryInventory;

/// An event's stream.
#[derive(Default)]
pub(super) struct CountsOfEvent {
    entries: BTreeMap<u64, Entry>,
}

struct Entry {
    minute: Timestamp,
    counts: Counts,
    /// When it was handed out.
    taken: Option<Timestamp>,
}

#[async_trait]
impl CountStream for MemoryInventory {
    async fn append(&self, scope: EventScope, minute: Timestamp, counts: Counts) -> StoreResult<()> {
        // Unique over all streams, so that one that was forgotten and begun anew names no two entries alike.
        let last = self.last_count.fetch_add(1, Ordering::Relaxed) + 1;
        let mut stream = self.counts.entry(scope).or_default();
        stream.entries.insert(last, Entry { minute, counts, taken: None });
        while stream.entries.len() > MOST_KEPT {
            stream.entries.pop_first();
        }
        Ok(())
    }

    async fn take(&self, scope: EventScope, _reader: Uuid, most: usize, idle: Duration) -> StoreResult<Vec<Counted>> {
        let now = self.environment.now();
        let Some(mut stream) = self.counts.get_mut(&scope) else { return Ok(Vec::new()) };
        let is_left = |entry: &Entry| entry.taken.is_some_and(|taken| now.since(taken) >= idle);
        let left: Vec<u64> = stream.entries.iter().filter(|(_, entry)| is_left(entry)).map(|(id, _)| *id).collect();
        let new = stream.entries.iter().filter(|(_, entry)| entry.taken.is_none()).map(|(id, _)| *id);
        let chosen: Vec<u64> = left.into_iter().chain(new).take(most).collect();
        let mut taken = Vec::with_capacity(chosen.len());
        for id in chosen {
            if let Some(entry) = stream.entries.get_mut(&id) {
                entry.taken = Some(now);
                // The streams of two starts of this process must not name two entries alike.
                let id = format!("{}-{id}", self.started.micros());
                taken.push(Counted { id, minute: entry.minute, counts: entry.counts });
            }
        }
        Ok(taken)
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        Ok(self.counts.iter().filter(|stream| !stream.entries.is_empty()).map(|stream| *stream.key()).collect())
    }

    async fn finish(&self, scope: EventScope, ids: &[String]) -> StoreResult<u64> {
        let Some(mut stream) = self.counts.get_mut(&scope) else { return Ok(0) };
        for id in ids {
            let number = id.rsplit_once('-').and_then(|(_, number)| number.parse().ok());
            number.and_then(|number: u64| stream.entries.remove(&number));
        }
        let left = stream.entries.len() as u64;
        drop(stream);
        self.counts.remove_if(&scope, |_, stream| stream.entries.is_empty());
        Ok(left)
    }
}
