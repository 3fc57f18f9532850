//! Delivers the rows of one aggregate to all consumers in order; the first row that a consumer does not accept stops the rows behind it.
//!
//! Never: a consumer whose panic or timeout stops the relay (P9).

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use uuid::Uuid;
use voelgoed_app::outbox::consumer::ConsumeError;
use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::time::Timestamp;

use super::Relay;
use crate::attempt::panic_text;

/// The result for the rows of one aggregate.
#[derive(Debug, Default)]
pub(super) struct AggregateDelivery {
    /// Rows that all consumers accepted, with the time of their commit.
    pub(super) delivered: Vec<(Uuid, Timestamp)>,
    /// The row that a consumer did not accept.
    pub(super) failed: Option<Uuid>,
    /// Rows that were not tried.
    pub(super) untried: Vec<Uuid>,
}

impl AggregateDelivery {
    pub(super) fn len(&self) -> usize {
        self.delivered.len() + usize::from(self.failed.is_some()) + self.untried.len()
    }
}

/// Groups rows by aggregate; the groups, and the rows of each, keep their order.
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
    /// Delivers the rows of one aggregate to the consumers; rows that are not started before `until` stay untried.
    pub(super) async fn deliver_aggregate(&self, rows: Vec<OutboxRow>, until: Timestamp) -> AggregateDelivery {
        let mut delivery = AggregateDelivery::default();
        let mut rows = rows.into_iter();
        for row in rows.by_ref() {
            if self.environment.now() >= until {
                delivery.untried.push(row.id);
                break;
            }
            if let Err(ConsumeError::RetryLater(reason)) = self.deliver_row(&row).await {
                tracing::warn!(
                    outbox = %row.id, organization = %row.organization, aggregate = %row.aggregate, version = row.version, reason,
                    "an outbox row was not accepted and will be delivered again"
                );
                delivery.failed = Some(row.id);
                break;
            }
            delivery.delivered.push((row.id, row.at));
        }
        delivery.untried.extend(rows.map(|row| row.id));
        delivery
    }

    async fn deliver_row(&self, row: &OutboxRow) -> Result<(), ConsumeError> {
        for consumer in &self.consumers {
            let consuming = AssertUnwindSafe(consumer.consume(row)).catch_unwind();
            let timeout = self.settings.consume_timeout;
            let result = match tokio::time::timeout(timeout, consuming).await {
                Ok(Ok(result)) => result,
                Ok(Err(panic)) => Err(ConsumeError::RetryLater(format!("it panicked: {}", panic_text(&*panic)))),
                Err(_) => Err(ConsumeError::RetryLater(format!("it took longer than {} s", timeout.as_secs_f32()))),
            };
            result.map_err(|ConsumeError::RetryLater(reason)| {
                ConsumeError::RetryLater(format!("{}: {reason}", consumer.name()))
            })?;
        }
        Ok(())
    }
}
