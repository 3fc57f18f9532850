//! Takes rows from the outbox and delivers each to every consumer; marks a row as delivered only after all consumers accepted it.
//!
//! Never: a row delivered before an earlier row of its aggregate, a row marked that a consumer did not accept (P8), an aggregate that waits
//! for another one. To add a consumer: `consumers` of its slice.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio_util::sync::CancellationToken;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::StoreResult;
use voelgoed_app::outbox::consumer::OutboxConsumer;
use voelgoed_app::outbox::event::{TakenRows, UnreadableRow};
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_telemetry::metrics::cold::{outbox_parked, outbox_unreadable, outbox_waiting};

use crate::alarm_interval::{ALARM_GRACE, Alarm, UNREADABLE_LISTED_MAX};
use crate::settings::RelaySettings;
use crate::store_availability::StoreAvailability;
use crate::wakeup::wakeup;

mod deliver_aggregate;
mod delivery_marks;

use deliver_aggregate::{AggregateDelivery, by_aggregate};
use delivery_marks::DeliveryMarks;

/// Relays the outbox of a store. Several may share one store; one per process is enough.
pub struct Relay {
    store: Arc<dyn OutboxStore>,
    consumers: Vec<Arc<dyn OutboxConsumer>>,
    environment: Arc<dyn Environment>,
    settings: RelaySettings,
}

impl Relay {
    /// A relay to these consumers; each row is delivered to them in this order.
    #[must_use]
    pub fn new(
        store: Arc<dyn OutboxStore>,
        environment: Arc<dyn Environment>,
        consumers: Vec<Arc<dyn OutboxConsumer>>,
        settings: RelaySettings,
    ) -> Self {
        Self { store, consumers, environment, settings }
    }

    /// Relays until `stop` is cancelled; then takes nothing more and finishes the rows in flight.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(self.relay(&stop), self.update_gauges(&stop));
    }

    async fn relay(&self, stop: &CancellationToken) {
        let mut in_flight = FuturesUnordered::new();
        let mut rows_in_flight = 0;
        let mut marks = DeliveryMarks::default();
        let mut availability = StoreAvailability::new("relay");
        while !stop.is_cancelled() {
            let (notified, completes_always) = wakeup(|| self.store.written());
            let room = (self.settings.batch_rows_max as usize).saturating_sub(rows_in_flight + marks.len());
            if room > 0 {
                let now = self.environment.now();
                let rows_max = u32::try_from(room).unwrap_or(u32::MAX);
                let taken = self.store.take(rows_max, now, self.settings.lease).await;
                let TakenRows { rows, parked } = availability.note(taken).unwrap_or_default();
                outbox_parked(parked.len() as u64);
                for rows in by_aggregate(rows) {
                    rows_in_flight += rows.len();
                    in_flight.push(self.deliver_aggregate(rows, now.plus(self.settings.lease / 2)));
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                Some(delivery) = in_flight.next() => {
                    let mut next = Some(delivery);
                    // Every other delivery that is complete goes into the same commit.
                    while let Some(delivery) = next {
                        rows_in_flight -= delivery.len();
                        marks.add(delivery);
                        next = in_flight.next().now_or_never().flatten();
                    }
                    availability.note(marks.flush(self).await);
                }
                () = notified, if !completes_always && room > 0 => {}
                () = tokio::time::sleep(self.settings.poll_interval) => { availability.note(marks.flush(self).await); }
            }
        }
        let finish = async {
            while let Some(delivery) = in_flight.next().await {
                marks.add(delivery);
            }
        };
        let in_time = tokio::time::timeout(self.settings.drain_timeout, finish).await.is_ok();
        let marked = availability.note(marks.flush(self).await).is_some();
        if !(in_time && marked) {
            tracing::warn!(
                "the relay stopped before all rows were marked; they are delivered again when their lease lapses"
            );
        }
    }

    async fn update_gauges(&self, stop: &CancellationToken) {
        let mut availability = StoreAvailability::new("outbox gauges");
        let mut alarm = Alarm::default();
        while !stop.is_cancelled() {
            availability.note(self.update_pending().await);
            availability.note(self.report_unreadable(&mut alarm).await);
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.settings.gauge_interval) => {}
            }
        }
    }

    async fn update_pending(&self) -> StoreResult<()> {
        let (rows, oldest_millis) = self.store.pending(self.environment.now()).await?;
        outbox_waiting(rows, Duration::from_millis(oldest_millis));
        Ok(())
    }

    /// Counts the unreadable rows, and raises an alarm for those that waited too long for a newer node.
    async fn report_unreadable(&self, alarm: &mut Alarm) -> StoreResult<()> {
        let now = self.environment.now();
        let rows = self.store.unreadable(UNREADABLE_LISTED_MAX).await?;
        outbox_unreadable(rows.len() as u64);
        let overdue = |row: &&UnreadableRow| row.is_malformed || now.since(row.at) >= ALARM_GRACE;
        if let Some(first) = rows.iter().find(overdue)
            && alarm.is_due(now)
        {
            tracing::error!(
                outbox = %first.id, organization = %first.organization, aggregate = %first.aggregate, reason = first.reason, rows = rows.len(),
                "outbox rows cannot be read and their aggregates wait; see docs/runbooks/upgrade.md"
            );
        }
        Ok(())
    }
}
