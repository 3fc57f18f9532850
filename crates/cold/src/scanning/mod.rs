//! Implements the scan store: gates, devices and scans.
//!
//! Never: a pairing code used twice, a device's key in clear text, an admission outside [`scans`] (P6, P7).
//! To add an operation: its file, and its line in the port below.

mod devices;
mod gates;
pub(crate) mod scans;

use async_trait::async_trait;
use voelgoed_app::error::StoreResult;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_app::scanning::ports::{Device, Gate, NewScan, RecordedScan, Scan, ScanStore};
use voelgoed_domain::ids::{DeviceId, EventId, OrganizationId, ScanId, TicketId, TicketTypeId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::Cold;

#[async_trait]
impl ScanStore for Cold {
    async fn create_gate(
        &self,
        organization: OrganizationId,
        gate: Gate,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        Ok(gates::create(&self.sale, organization, &gate, idempotency.as_ref()).await?)
    }

    async fn gates(&self, organization: OrganizationId, event: EventId) -> StoreResult<Vec<Gate>> {
        Ok(gates::list(&self.display, organization, event).await?)
    }

    async fn create_device(
        &self,
        organization: OrganizationId,
        device: Device,
        pairing: [u8; 32],
        pairing_ends: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        Ok(devices::create(&self.sale, organization, &device, pairing, pairing_ends, idempotency.as_ref()).await?)
    }

    async fn devices(&self, organization: OrganizationId, event: EventId) -> StoreResult<Vec<Device>> {
        Ok(devices::list(&self.display, organization, event).await?)
    }

    async fn pair(&self, pairing: [u8; 32], key: [u8; 32], now: Timestamp) -> StoreResult<Result<Device, Refusal>> {
        Ok(devices::pair(&self.sale, pairing, key, now).await?)
    }

    async fn device_by_key(&self, key: [u8; 32]) -> StoreResult<Option<Device>> {
        Ok(devices::by_key(&self.display, key).await?)
    }

    async fn revoke_device(&self, organization: OrganizationId, device: DeviceId, now: Timestamp) -> StoreResult<bool> {
        Ok(devices::revoke(&self.sale, &*self.environment, organization, device, now).await?)
    }

    async fn record_scan(&self, organization: OrganizationId, scan: NewScan) -> StoreResult<RecordedScan> {
        scans::record_scan(self, organization, scan).await
    }

    async fn tickets_of_types(
        &self,
        organization: OrganizationId,
        event: EventId,
        types: &[TicketTypeId],
        limit: u32,
    ) -> StoreResult<Vec<(TicketTypeId, TicketId)>> {
        scans::tickets_of_types(self, organization, event, types, limit).await
    }

    async fn read_scan(&self, organization: OrganizationId, scan: ScanId) -> StoreResult<Option<Scan>> {
        scans::read_scan(self, organization, scan).await
    }

    async fn scans(
        &self,
        organization: OrganizationId,
        event: EventId,
        conflicts_only: bool,
        page: PageRequest,
    ) -> StoreResult<Page<Scan>> {
        scans::scans(self, organization, event, conflicts_only, page).await
    }
}
