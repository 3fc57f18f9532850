//! Implements the count-stream port in memory: one bounded stream per event, whose entries are taken and finished by workers.
//!
//! Never: more entries of an event than the limit of the port; the oldest are dropped.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::analytics::ports::{COUNTS_PER_STREAM_MAX, CountStream, StepCountEntry, StepCounts};
use voelgoed_app::error::StoreResult;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::time::Timestamp;

use super::MemoryInventory;
use super::event_counts::StoredCount;

#[async_trait]
impl CountStream for MemoryInventory {
    async fn append_counts(&self, scope: EventScope, minute: Timestamp, counts: StepCounts) -> StoreResult<()> {
        // Unique over all streams, so that a removed and recreated stream never reuses a number.
        let last = self.last_count.fetch_add(1, Ordering::Relaxed) + 1;
        let mut stream = self.counts.entry(scope).or_default();
        stream.entries.insert(last, StoredCount { minute, counts, taken_at: None });
        while stream.entries.len() > COUNTS_PER_STREAM_MAX {
            stream.entries.pop_first();
        }
        Ok(())
    }

    async fn take(
        &self,
        scope: EventScope,
        _reader: Uuid,
        entries_max: usize,
        idle: Duration,
    ) -> StoreResult<Vec<StepCountEntry>> {
        let now = self.environment.now();
        let Some(mut stream) = self.counts.get_mut(&scope) else { return Ok(Vec::new()) };
        let is_abandoned = |entry: &StoredCount| entry.taken_at.is_some_and(|taken_at| now.since(taken_at) >= idle);
        let abandoned: Vec<u64> =
            stream.entries.iter().filter(|(_, entry)| is_abandoned(entry)).map(|(id, _)| *id).collect();
        let new = stream.entries.iter().filter(|(_, entry)| entry.taken_at.is_none()).map(|(id, _)| *id);
        let chosen: Vec<u64> = abandoned.into_iter().chain(new).take(entries_max).collect();
        let mut taken = Vec::with_capacity(chosen.len());
        for id in chosen {
            if let Some(entry) = stream.entries.get_mut(&id) {
                entry.taken_at = Some(now);
                // The start time makes ids differ between two starts of this process.
                let id = format!("{}-{id}", self.started_at.micros());
                taken.push(StepCountEntry { id, minute: entry.minute, counts: entry.counts });
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
