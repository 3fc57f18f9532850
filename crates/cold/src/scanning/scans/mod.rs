//! Records many scans in one transaction; the domain decides each on the locked ticket, after the earlier scans of the same ticket (P3, P6).
//!
//! A repeated scan id is answered with the stored scan. Never: an admission without its entry row, whose number is unique per ticket.

mod scan_batch;
mod scan_rows;
mod tickets_of_types;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_app::scanning::ports::{NewScan, RecordedScan, Scan};
use voelgoed_domain::ids::{EventId, OrganizationId, ScanId, TicketId, TicketTypeId};

use self::scan_batch::ScanBatch;
use crate::Cold;
use crate::committer::{BatchCommit, BatchOutcome, CommandOutcome, SubmitError};
use crate::db::{Db, DbResult, Tx};

/// Scan, entry, ticket and outbox event.
const ROWS_PER_SCAN: usize = 4;

pub(super) async fn record_scan(cold: &Cold, organization: OrganizationId, scan: NewScan) -> StoreResult<RecordedScan> {
    match cold.scans.submit(organization, scan).await {
        Ok(recorded) => Ok(recorded),
        Err(SubmitError::Overloaded) => {
            Err(Fault::unavailable(Dependency::Cold, "more scans wait than can be written"))
        }
        Err(SubmitError::Failed(error)) => Err(error.into()),
    }
}

pub(super) async fn tickets_of_types(
    cold: &Cold,
    organization: OrganizationId,
    event: EventId,
    types: &[TicketTypeId],
    limit: u32,
) -> StoreResult<Vec<(TicketTypeId, TicketId)>> {
    Ok(tickets_of_types::read(&cold.display, organization, event, types, limit).await?)
}

pub(super) async fn read_scan(cold: &Cold, organization: OrganizationId, scan: ScanId) -> StoreResult<Option<Scan>> {
    Ok(scan_rows::read(&cold.sale, organization, &[scan]).await?.into_iter().next())
}

pub(super) async fn scans(
    cold: &Cold,
    organization: OrganizationId,
    event: EventId,
    conflicts_only: bool,
    page: PageRequest,
) -> StoreResult<Page<Scan>> {
    Ok(scan_rows::list(&cold.reports, organization, event, conflicts_only, page).await?)
}

/// The batch command that records scans.
pub(crate) struct RecordScans {
    pub(crate) environment: Arc<dyn Environment>,
}

#[async_trait]
impl BatchCommit for RecordScans {
    const NAME: &'static str = "scans";
    type Command = NewScan;
    type Reply = RecordedScan;

    fn row_estimate(_scan: &NewScan) -> usize {
        ROWS_PER_SCAN
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        scans: &[&NewScan],
    ) -> DbResult<BatchOutcome<RecordedScan>> {
        let ids: Vec<ScanId> = scans.iter().map(|scan| scan.id).collect();
        let earlier = scan_rows::read_in(tx, organization, &ids).await?;
        let mut batch = ScanBatch::open(tx, organization, scans).await?;
        let mut decided = BTreeSet::new();
        let mut outcomes = Vec::with_capacity(scans.len());
        for new in scans {
            if let Some(scan) = earlier.iter().find(|scan| scan.id == new.id) {
                outcomes.push(CommandOutcome::Reply(RecordedScan { scan: scan.clone(), repeated: true }));
            } else if decided.insert(new.id) {
                let scan = batch.decide(new)?;
                outcomes.push(CommandOutcome::Reply(RecordedScan { scan, repeated: false }));
            } else {
                // The same scan id twice in one batch: the retry finds the stored scan.
                outcomes.push(CommandOutcome::Retry);
            }
        }
        let wrote = !decided.is_empty();
        if wrote {
            write::write(tx, organization, batch, &*self.environment).await?;
        }
        Ok(BatchOutcome { outcomes, wrote })
    }

    async fn find_committed(
        &self,
        db: &Db,
        organization: OrganizationId,
        scans: &[&NewScan],
    ) -> DbResult<Vec<Option<RecordedScan>>> {
        let ids: Vec<ScanId> = scans.iter().map(|scan| scan.id).collect();
        let written = scan_rows::read(db, organization, &ids).await?;
        let found = |id| written.iter().find(|scan| scan.id == id).cloned();
        Ok(ids.into_iter().map(|id| found(id).map(|scan| RecordedScan { scan, repeated: false })).collect())
    }
}
