//! The relay: takes facts out of the outbox and hands each to every reader, until all took note; then, and only then, it is delivered.
//!
//! Never: a row delivered before the one before it of its aggregate, a row acknowledged that a reader did not take note of (P8), an aggregate
//! that waits for another one. To add a reader: the binary's list.

use std::sync::Arc;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio_util::sync::CancellationToken;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::StoreResult;
use voelgoed_app::outbox::consumer::OutboxConsumer;
use voelgoed_app::outbox::event::{TakenRows, UnreadableRow};
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_telemetry::metrics::cold::{outbox_parked, outbox_unreadable, outbox_waiting};

use crate::alarm::{Alarm, GRACE, LISTED_MAX};
use crate::runner::{Health, listening};
use crate::settings::RelaySettings;

mod aggregate;
mod marks;

use aggregate::{AggregateRead, by_aggregate};
use marks::Marks;

/// Relays the outbox of a store. Several may share one store; one per process is enough.
pub struct Relay {
    store: Arc<dyn OutboxStore>,
    readers: Vec<Arc<dyn OutboxConsumer>>,
    environment: Arc<dyn Environment>,
    settings: RelaySettings,
}

impl Relay {
    /// A relay to these readers; each row is handed to them in this order.
    #[must_use]
    pub fn new(
        store: Arc<dyn OutboxStore>,
        environment: Arc<dyn Environment>,
        readers: Vec<Arc<dyn OutboxConsumer>>,
        settings: RelaySettings,
    ) -> Self {
        Self { store, readers, environment, settings }
    }

    /// Relays until `stop` is cancelled; then takes nothing more and finishes what is in flight.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(self.relay(&stop), self.gauges(&stop));
    }

    async fn relay(&self, stop: &CancellationToken) {
        let mut in_flight = FuturesUnordered::new();
        let mut rows_in_flight = 0;
        let mut marks = Marks::default();
        let mut health = Health::of("relay");
        while !stop.is_cancelled() {
            let (written, heard) = listening(|| self.store.written());
            let room = (self.settings.batch as usize).saturating_sub(rows_in_flight + marks.len());
            if room > 0 {
                let now = self.environment.now();
                let most = u32::try_from(room).unwrap_or(u32::MAX);
                let taken = self.store.take(most, now, self.settings.lease).await;
                let TakenRows { rows, parked } = health.note(taken).unwrap_or_default();
                outbox_parked(parked.len() as u64);
                for rows in by_aggregate(rows) {
                    rows_in_flight += rows.len();
                    in_flight.push(self.read_aggregate(rows, now.plus(self.settings.lease / 2)));
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                Some(read) = in_flight.next() => {
                    let mut next = Some(read);
                    // Whatever else is ready goes into the same commit.
                    while let Some(read) = next {
                        rows_in_flight -= read.len();
                        marks.note(read);
                        next = in_flight.next().now_or_never().flatten();
                    }
                    health.note(marks.flush(self).await);
                }
                () = written, if !heard && room > 0 => {}
                () = tokio::time::sleep(self.settings.poll_every) => { health.note(marks.flush(self).await); }
            }
        }
        let finish = async {
            while let Some(read) = in_flight.next().await {
                marks.note(read)
            }
        };
        let in_time = tokio::time::timeout(self.settings.drain, finish).await.is_ok();
        let marked = health.note(marks.flush(self).await).is_some();
        if !(in_time && marked) {
            tracing::warn!("the relay stopped before all was marked; those rows come again when their lease is over");
        }
    }

    async fn gauges(&self, stop: &CancellationToken) {
        let mut health = Health::of("outbox gauges");
        let mut alarm = Alarm::default();
        while !stop.is_cancelled() {
            health.note(self.gauge().await);
            health.note(self.unreadable(&mut alarm).await);
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.settings.gauge_every) => {}
            }
        }
    }

    async fn gauge(&self) -> StoreResult<()> {
        let (rows, oldest_millis) = self.store.pending(self.environment.now()).await?;
        outbox_waiting(rows, std::time::Duration::from_millis(oldest_millis));
        Ok(())
    }

    /// Counts the rows that this program cannot read, and raises the alarm for those that no newer node took in time.
    async fn unreadable(&self, alarm: &mut Alarm) -> StoreResult<()> {
        let now = self.environment.now();
        let rows = self.store.unreadable(LISTED_MAX).await?;
        outbox_unreadable(rows.len() as u64);
        let overdue = |row: &&UnreadableRow| row.is_malformed || now.since(row.at) >= GRACE;
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
