//! The rows of one aggregate, read one after the other: the first that a reader does not take note of stops those behind it.
//!
//! Never: a reader's panic or silence that stops the relay (P9).

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use uuid::Uuid;
use voelgoed_app::outbox::consumer::ReadError;
use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::time::Timestamp;
use voelgoed_planted::{Bug, planted};

use super::Relay;
use crate::attempt::text_of;

/// What became of an aggregate's rows.
#[derive(Debug, Default)]
pub(super) struct AggregateRead {
    /// All readers took note of these; with the moment of their commit.
    pub(super) delivered: Vec<(Uuid, Timestamp)>,
    /// The row that failed.
    pub(super) failed: Option<Uuid>,
    /// Those that were not tried.
    pub(super) behind: Vec<Uuid>,
}

impl AggregateRead {
    pub(super) fn len(&self) -> usize {
        self.delivered.len() + usize::from(self.failed.is_some()) + self.behind.len()
    }
}

/// The rows of each aggregate, both in the order in which they came.
pub(super) fn by_aggregate(rows: Vec<OutboxRow>) -> Vec<Vec<OutboxRow>> {
    let mut at = std::collections::BTreeMap::<(OrganizationId, Uuid), usize>::new();
    let mut groups: Vec<Vec<OutboxRow>> = Vec::new();
    for row in rows {
        let group = *at.entry((row.organization, row.aggregate)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(row);
    }
    groups
}

impl Relay {
    /// Hands the rows of one aggregate to the readers; what is not reached before `until` is given back untried.
    pub(super) async fn read_aggregate(&self, rows: Vec<OutboxRow>, until: Timestamp) -> AggregateRead {
        let mut read = AggregateRead::default();
        let mut rows = rows.into_iter();
        for row in rows.by_ref() {
            if self.environment.now() >= until {
                read.behind.push(row.id);
                break;
            }
            if let Err(ReadError::Later(reason)) = self.read_row(&row).await {
                tracing::warn!(
                    outbox = %row.id, organization = %row.organization, aggregate = %row.aggregate, version = row.version, reason,
                    "a fact was not taken note of; it comes again"
                );
                if planted(Bug::FailedFactDelivered) {
                    read.delivered.push((row.id, row.at));
                    continue;
                }
                read.failed = Some(row.id);
                break;
            }
            read.delivered.push((row.id, row.at));
        }
        read.behind.extend(rows.map(|row| row.id));
        read
    }

    async fn read_row(&self, row: &OutboxRow) -> Result<(), ReadError> {
        for reader in &self.readers {
            let reading = AssertUnwindSafe(reader.read(row)).catch_unwind();
            let answer = match tokio::time::timeout(self.settings.read_limit, reading).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(panic)) => Err(ReadError::Later(format!("it panicked: {}", text_of(&*panic)))),
                Err(_) => {
                    Err(ReadError::Later(format!("it took longer than {} s", self.settings.read_limit.as_secs_f32())))
                }
            };
            answer.map_err(|ReadError::Later(reason)| ReadError::Later(format!("{}: {reason}", reader.name())))?;
        }
        Ok(())
    }
}
