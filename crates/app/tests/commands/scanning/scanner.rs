//! Opens a gate with one scanner, and sells the tickets that it scans.

use voelgoed_app::environment::{Environment as _, new_id};
use voelgoed_app::error::CommandResult;
use voelgoed_app::scanning::decide_scan::ScanOutcome;
use voelgoed_app::scanning::ports::{Device, Gate, ScanResult};
use voelgoed_app::scanning::scan::ScanCommand;
use voelgoed_app::scanning::ticket_codes::{code, signer};
use voelgoed_domain::ids::{ScanId, TicketId};
use voelgoed_domain::scanning::entry::{Direction, ScanReason};
use voelgoed_resilience::{Dependency, DependencyHealth};
use voelgoed_testkit::platform::TestPlatform;

pub const USED: ScanResult = ScanResult::Refused(ScanReason::AlreadyUsed);

/// A scanner at a gate, and paid tickets with their codes.
pub struct ScannerFixture {
    pub shop: TestPlatform,
    pub device: Device,
    pub gate: Gate,
    pub tickets: Vec<TicketId>,
    pub codes: Vec<String>,
}

impl ScannerFixture {
    /// Sells so many of the four seats.
    pub async fn with_tickets(tickets: u32) -> Self {
        Self::on(TestPlatform::open().await, tickets).await
    }

    /// Sells so many of the seats of a platform.
    pub async fn on(shop: TestPlatform, seats: u32) -> Self {
        let (slices, scope) = (&shop.slices, shop.scope);
        let mut tickets = vec![];
        for place in 0..seats {
            tickets.push(shop.paid_order(place).await.tickets[0].id);
        }
        let signer = signer(&slices.context.master, scope.organization);
        let codes = tickets.iter().map(|ticket| code(&signer, scope.event, *ticket)).collect();
        let gate = Gate { id: new_id(&*shop.environment), event: scope.event, name: "North".into(), areas: vec![] };
        slices.scanning.store.create_gate(scope.organization, gate.clone(), None).await.unwrap().unwrap();
        let device = Device {
            id: new_id(&*shop.environment),
            organization: scope.organization,
            event: scope.event,
            name: "Scanner".into(),
            gates: vec![gate.id],
            paired_at: Some(shop.environment.now()),
            revoked_at: None,
        };
        Self { shop, device, gate, tickets, codes }
    }

    pub fn cold_is(&self, health: DependencyHealth) {
        self.shop.slices.context.capabilities.report(Dependency::Cold, health);
    }

    /// A new scan of the entry of a ticket.
    pub fn command(&self, ticket: usize) -> ScanCommand {
        ScanCommand {
            id: new_id(&*self.shop.environment),
            code: self.codes[ticket].clone(),
            gate: self.gate.id,
            direction: Direction::Entry,
            scanned_at: Some(self.shop.environment.now()),
            forced: false,
        }
    }

    pub async fn scan(&self, command: ScanCommand) -> CommandResult<ScanOutcome> {
        self.shop.slices.scanning.scan(&self.device, command).await
    }

    /// Scans the entry of a ticket: its result, and whether cold has that.
    pub async fn enter(&self, ticket: usize) -> (ScanResult, bool) {
        let scanned = self.scan(self.command(ticket)).await.unwrap();
        (scanned.scan.result, scanned.durable)
    }

    /// Scans the entry of a ticket while cold is unavailable.
    pub async fn enter_offline(&self, ticket: usize) -> ScanId {
        let command = self.command(ticket);
        let id = command.id;
        let scanned = self.scan(command).await.unwrap();
        assert!(!scanned.durable, "cold has decided it");
        id
    }
}
