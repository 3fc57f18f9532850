//! Random changes, takes, marks and pauses, against a model of what each take must bring.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_domain::time::Timestamp;

use super::{Facts, LEASE, change, events, take};
use crate::subject::{Dice, Subject};

const STEPS: u32 = 400;

/// When each undelivered row may be taken, by aggregate and version.
#[derive(Default)]
struct Model(BTreeMap<(Uuid, u32), Timestamp>);

impl Model {
    /// Of each aggregate the rows from the oldest undelivered one on, up to the first that is leased or paused.
    fn takeable(&self, now: Timestamp) -> BTreeSet<(Uuid, u32)> {
        let mut blocked = BTreeSet::new();
        let mut takeable = BTreeSet::new();
        for ((aggregate, version), due) in &self.0 {
            if *due > now {
                blocked.insert(*aggregate);
            } else if !blocked.contains(aggregate) {
                takeable.insert((*aggregate, *version));
            }
        }
        takeable
    }

    fn check(&self, taken: &[OutboxRow], most: u32, now: Timestamp) {
        let takeable = self.takeable(now);
        let mut next = BTreeMap::<Uuid, Vec<u32>>::new();
        for (aggregate, version) in &takeable {
            next.entry(*aggregate).or_default().push(*version);
        }
        for row in taken {
            let expected =
                next.get_mut(&row.aggregate).filter(|versions| !versions.is_empty()).map(|versions| versions.remove(0));
            assert_eq!(expected, Some(row.version), "of {}", row.aggregate);
        }
        assert_eq!(taken.len(), takeable.len().min(most as usize), "all that may be taken, up to the limit");
    }
}

/// Whatever happens in whatever order: exactly what may be taken is taken, and at the end all is delivered.
pub async fn whatever_happens_each_aggregate_keeps_its_order<S: Facts>(subject: Subject<S>) {
    let mut dice = Dice::new(7);
    let (_, events) = events(&subject, 4).await;
    let mut versions = [1_u32; 4];
    let now = subject.environment.now();
    let mut model = Model(events.iter().map(|event| ((event.id.uuid(), 1), now)).collect());
    let mut held: Vec<OutboxRow> = Vec::new();
    for _ in 0..STEPS {
        let now = subject.environment.now();
        match dice.below(6) {
            0 | 1 => {
                let which = dice.below(4);
                change(&subject, &events[which]).await;
                versions[which] += 1;
                model.0.insert((events[which].id.uuid(), versions[which]), now);
            }
            2 => {
                let most = 1 + u32::try_from(dice.below(12)).unwrap();
                let taken = take(&subject, most).await;
                model.check(&taken, most, now);
                for row in &taken {
                    model.0.insert((row.aggregate, row.version), now.plus(LEASE));
                }
                held.extend(taken);
            }
            3 if !held.is_empty() => {
                // A relay marks in order, maybe late, maybe twice.
                let row = held.remove(0);
                subject.store.delivered(&[row.id], now).await.unwrap();
                model.0.remove(&(row.aggregate, row.version));
            }
            4 if !held.is_empty() => {
                let row = held.swap_remove(dice.below(held.len()));
                let at = now.plus(Duration::from_secs(dice.below(20) as u64));
                subject.store.postpone(&[row.id], at).await.unwrap();
                model.0.entry((row.aggregate, row.version)).and_modify(|due| *due = at);
            }
            _ => {
                subject.environment.advance(Duration::from_secs(dice.below(12) as u64));
            }
        }
        let pending = subject.store.pending(subject.environment.now()).await.unwrap().0;
        assert_eq!(pending, model.0.len() as u64);
    }
    while !model.0.is_empty() {
        let now = subject.environment.advance(LEASE);
        let taken = take(&subject, 500).await;
        model.check(&taken, 500, now);
        super::delivered(&subject, &taken).await;
        for row in taken {
            model.0.remove(&(row.aggregate, row.version));
        }
    }
}
