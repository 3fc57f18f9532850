//! The facts of one transaction, gathered while it decides and written to the outbox at its end (P8).
//!
//! Never: a state change whose fact is written in another transaction.

use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::event::{OutboxEvent, OutboxRow};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::time::Timestamp;

use crate::db::{Result, Tx};
use crate::outbox;

/// The facts of one transaction of one organization.
pub(crate) struct Facts<'a> {
    environment: &'a dyn Environment,
    organization: OrganizationId,
    at: Timestamp,
    rows: Vec<OutboxRow>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(environment: &'a dyn Environment, organization: OrganizationId, at: Timestamp) -> Self {
        Self { environment, organization, at, rows: Vec::new() }
    }

    /// `fact` happened to `aggregate`, which stands at `version` now.
    pub(crate) fn add(&mut self, aggregate: Uuid, version: u32, fact: OutboxEvent) {
        let (id, organization, at) = (self.environment.uuid(), self.organization, self.at);
        self.rows.push(OutboxRow { id, organization, aggregate, version, fact, at });
    }

    /// Writes them. Of one change, that an order changed comes first: what else there is warm must hear, and where it is away an aggregate's facts
    /// wait from there on; whoever watches the order need not.
    pub(crate) async fn write(mut self, tx: &mut Tx) -> Result<()> {
        self.rows.sort_by_key(|row| !matches!(row.fact, OutboxEvent::OrderChanged { .. }));
        outbox::append(tx, &self.rows).await
    }
}
