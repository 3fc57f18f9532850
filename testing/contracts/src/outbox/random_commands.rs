//! Random changes, takes, marks and postponements, checked against a model of the available rows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_domain::time::Timestamp;

use super::{LEASE, OutboxTier, change, stored_events, take};
use crate::sut::Sut;

const STEPS: u32 = 400;

/// When each undelivered row may be taken, by aggregate and version.
#[derive(Default)]
struct Model(BTreeMap<(Uuid, u32), Timestamp>);

impl Model {
    /// Of each aggregate the rows from the oldest undelivered one on, up to the first that is leased or postponed.
    fn available(&self, now: Timestamp) -> BTreeSet<(Uuid, u32)> {
        let mut blocked = BTreeSet::new();
        let mut available = BTreeSet::new();
        for ((aggregate, version), due) in &self.0 {
            if *due > now {
                blocked.insert(*aggregate);
            } else if !blocked.contains(aggregate) {
                available.insert((*aggregate, *version));
            }
        }
        available
    }

    fn check(&self, taken: &[OutboxRow], limit: u32, now: Timestamp) {
        let available = self.available(now);
        let mut next = BTreeMap::<Uuid, Vec<u32>>::new();
        for (aggregate, version) in &available {
            next.entry(*aggregate).or_default().push(*version);
        }
        for row in taken {
            let expected =
                next.get_mut(&row.aggregate).filter(|versions| !versions.is_empty()).map(|versions| versions.remove(0));
            assert_eq!(expected, Some(row.version), "of {}", row.aggregate);
        }
        assert_eq!(taken.len(), available.len().min(limit as usize), "all available rows, up to the limit");
    }
}

/// Each take returns exactly the available rows, and at the end all rows are delivered.
pub async fn random_outbox_commands_match_the_model<S: OutboxTier>(sut: Sut<S>) {
    let mut random = StdRng::seed_from_u64(7);
    let (_, events) = stored_events(&sut, 4).await;
    let mut versions = [1_u32; 4];
    let now = sut.environment.now();
    let mut model = Model(events.iter().map(|event| ((event.id.uuid(), 1), now)).collect());
    let mut held: Vec<OutboxRow> = Vec::new();
    for _ in 0..STEPS {
        let now = sut.environment.now();
        match random.random_range(0..6_u32) {
            0 | 1 => {
                let index = random.random_range(0..events.len());
                change(&sut, &events[index]).await;
                versions[index] += 1;
                model.0.insert((events[index].id.uuid(), versions[index]), now);
            }
            2 => {
                let limit = random.random_range(1..=12);
                let taken = take(&sut, limit).await;
                model.check(&taken, limit, now);
                for row in &taken {
                    model.0.insert((row.aggregate, row.version), now.plus(LEASE));
                }
                held.extend(taken);
            }
            3 if !held.is_empty() => {
                // A relay marks rows in order, possibly late or twice.
                let row = held.remove(0);
                sut.store.delivered(&[row.id], now).await.unwrap();
                model.0.remove(&(row.aggregate, row.version));
            }
            4 if !held.is_empty() => {
                let row = held.swap_remove(random.random_range(0..held.len()));
                let at = now.plus(Duration::from_secs(random.random_range(0..20)));
                sut.store.postpone(&[row.id], at).await.unwrap();
                model.0.entry((row.aggregate, row.version)).and_modify(|due| *due = at);
            }
            _ => {
                sut.environment.advance(Duration::from_secs(random.random_range(0..12)));
            }
        }
        let pending = sut.store.pending(sut.environment.now()).await.unwrap().0;
        assert_eq!(pending, model.0.len() as u64);
    }
    while !model.0.is_empty() {
        let now = sut.environment.advance(LEASE);
        let taken = take(&sut, 500).await;
        model.check(&taken, 500, now);
        super::mark_delivered(&sut, &taken).await;
        for row in taken {
            model.0.remove(&(row.aggregate, row.version));
        }
    }
}
