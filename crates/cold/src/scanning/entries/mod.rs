//! Scans are decided by the domain and written, many in one transaction; several of one ticket are decided one after the other (P3, P6).
//!
//! Never: an admission without its entry row, whose number is unique per ticket. The same scan id is answered from what was written first.

mod gate_book;
mod of_types;
mod rows;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_app::scanning::ports::{NewScan, Recorded, Scan};
use voelgoed_domain::ids::{EventId, OrganizationId, ScanId, TicketId, TicketTypeId};

use self::gate_book::GateBook;
use crate::Cold;
use crate::committer::{Applied, Commit, Unanswered, Verdict};
use crate::db::{Db, Result, Tx};

/// Scan, entry, ticket and fact.
const ROWS_PER_SCAN: usize = 4;

pub(super) async fn record_scan(cold: &Cold, organization: OrganizationId, scan: NewScan) -> StoreResult<Recorded> {
    match cold.scans.submit(organization, scan).await {
        Ok(recorded) => Ok(recorded),
        Err(Unanswered::Overloaded) => Err(Fault::away(Dependency::Cold, "more scans wait than can be written")),
        Err(Unanswered::Failed(error)) => Err(error.into()),
    }
}

pub(super) async fn tickets_of_types(
    cold: &Cold,
    organization: OrganizationId,
    event: EventId,
    types: &[TicketTypeId],
    most: u32,
) -> StoreResult<Vec<(TicketTypeId, TicketId)>> {
    Ok(of_types::read(&cold.shown, organization, event, types, most).await?)
}

pub(super) async fn read_scan(cold: &Cold, organization: OrganizationId, scan: ScanId) -> StoreResult<Option<Scan>> {
    Ok(rows::read(&cold.sale, organization, &[scan]).await?.into_iter().next())
}

pub(super) async fn scans(
    cold: &Cold,
    organization: OrganizationId,
    event: EventId,
    conflicts_only: bool,
    page: PageRequest,
) -> StoreResult<Page<Scan>> {
    Ok(rows::list(&cold.reports, organization, event, conflicts_only, page).await?)
}

/// The committed command.
pub(crate) struct RecordScans {
    pub(crate) environment: Arc<dyn Environment>,
}

#[async_trait]
impl Commit for RecordScans {
    const NAME: &'static str = "scans";
    type Command = NewScan;
    type Answer = Recorded;

    fn rows(_scan: &NewScan) -> usize {
        ROWS_PER_SCAN
    }

    async fn apply(&self, tx: &mut Tx, organization: OrganizationId, scans: &[&NewScan]) -> Result<Applied<Recorded>> {
        let ids: Vec<ScanId> = scans.iter().map(|scan| scan.id).collect();
        let earlier = rows::read_in(tx, organization, &ids).await?;
        let mut book = GateBook::open(tx, organization, scans).await?;
        let mut met = BTreeSet::new();
        let mut verdicts = Vec::with_capacity(scans.len());
        for new in scans {
            if let Some(scan) = earlier.iter().find(|scan| scan.id == new.id) {
                verdicts.push(Verdict::Answer(Recorded { scan: scan.clone(), repeated: true }));
            } else if met.insert(new.id) {
                let scan = book.decide(new)?;
                verdicts.push(Verdict::Answer(Recorded { scan, repeated: false }));
            } else {
                // The same scan twice in one batch: the second reads what became of the first.
                verdicts.push(Verdict::Again);
            }
        }
        let wrote = !met.is_empty();
        if wrote {
            write::write(tx, organization, book, &*self.environment).await?;
        }
        Ok(Applied { verdicts, wrote })
    }

    async fn look_up(
        &self,
        db: &Db,
        organization: OrganizationId,
        scans: &[&NewScan],
    ) -> Result<Vec<Option<Recorded>>> {
        let ids: Vec<ScanId> = scans.iter().map(|scan| scan.id).collect();
        let written = rows::read(db, organization, &ids).await?;
        let found = |id| written.iter().find(|scan| scan.id == id).cloned();
        Ok(ids.into_iter().map(|id| found(id).map(|scan| Recorded { scan, repeated: false })).collect())
    }
}
