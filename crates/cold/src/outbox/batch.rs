//! Collects the outbox events of one transaction and appends them at its end (P8).
//!
//! Never: a state change whose event is written in another transaction.

use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::event::{OutboxEvent, OutboxRow};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::time::Timestamp;

use crate::db::{DbResult, Tx};
use crate::outbox;

/// The outbox events of one transaction of one organization.
pub(crate) struct OutboxBatch<'a> {
    environment: &'a dyn Environment,
    organization: OrganizationId,
    at: Timestamp,
    rows: Vec<OutboxRow>,
}

impl<'a> OutboxBatch<'a> {
    pub(crate) fn new(environment: &'a dyn Environment, organization: OrganizationId, at: Timestamp) -> Self {
        Self { environment, organization, at, rows: Vec::new() }
    }

    /// Adds `event` of `aggregate`, whose version is `version` now.
    pub(crate) fn add(&mut self, aggregate: Uuid, version: u32, event: OutboxEvent) {
        let (id, organization, at) = (self.environment.uuid(), self.organization, self.at);
        self.rows.push(OutboxRow { id, organization, aggregate, version, outbox_event: event, at });
    }

    /// Appends the events, `OrderChanged` first: the other events wait while the warm tier is unavailable and block later events of their aggregate,
    /// but viewers of the order need no warm tier.
    pub(crate) async fn write(mut self, tx: &mut Tx) -> DbResult<()> {
        self.rows.sort_by_key(|row| !matches!(row.outbox_event, OutboxEvent::OrderChanged { .. }));
        outbox::append(tx, &self.rows).await
    }
}
