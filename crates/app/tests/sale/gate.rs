//! The gate while cold comes and goes: one ticket, one admission, and nothing called durable that is not (P3, P6).

use voelgoed_app::environment::{Environment as _, fresh};
use voelgoed_app::payments::send::send;
use voelgoed_app::scanning::codes::{code, signer};
use voelgoed_app::scanning::ports::{Device, Gate, ScanResult};
use voelgoed_app::scanning::replay_offline_scans::replay_offline_scans;
use voelgoed_app::scanning::scan::{ScanCommand, scan};
use voelgoed_app::ticketing::rebuild::loaded;
use voelgoed_domain::scanning::entry::{Direction, ScanReason};
use voelgoed_resilience::{Dependency, Health};

use crate::bench::Bench;

/// A scanner at a gate, and the code of a paid ticket.
struct Door {
    bench: Bench,
    device: Device,
    gate: Gate,
    code: String,
}

impl Door {
    async fn open() -> Self {
        let bench = Bench::open().await;
        let (platform, scope) = (&bench.platform, bench.scope);
        let order = bench.ordered(0).await;
        send(platform, scope.organization, order.attempts[0].id).await.unwrap();
        let paid = platform.orders.read_order(scope.organization, order.order.id).await.unwrap().unwrap();
        let code = code(&signer(&platform.master, scope.organization), scope.event, paid.tickets[0].id);
        let gate = Gate { id: fresh(&*bench.environment), event: scope.event, name: "North".into(), areas: vec![] };
        platform.scans.create_gate(scope.organization, gate.clone(), None).await.unwrap().unwrap();
        let device = Device {
            id: fresh(&*bench.environment),
            organization: scope.organization,
            event: scope.event,
            name: "Scanner".into(),
            gates: vec![gate.id],
            paired_at: Some(bench.environment.now()),
            revoked_at: None,
        };
        Self { device, gate, code, bench }
    }

    fn cold_is(&self, health: Health) {
        self.bench.platform.capabilities.report(Dependency::Cold, health);
    }

    /// Shows the ticket; what became of it, and whether cold has that.
    async fn shown(&self) -> (ScanResult, bool) {
        let command = ScanCommand {
            id: fresh(&*self.bench.environment),
            code: self.code.clone(),
            gate: self.gate.id,
            direction: Direction::Entry,
            scanned_at: Some(self.bench.environment.now()),
            forced: false,
        };
        let scanned = scan(&self.bench.platform, &self.device, command).await.unwrap();
        (scanned.scan.result, scanned.durable)
    }
}

const USED: ScanResult = ScanResult::Refused(ScanReason::AlreadyUsed);

#[tokio::test]
async fn what_only_warm_has_is_not_durable() {
    let door = Door::open().await;
    door.cold_is(Health::Down);
    assert_eq!(door.shown().await, (ScanResult::Admitted, false));
    assert_eq!(door.shown().await, (USED, false), "warm remembers");
}

#[tokio::test]
async fn whom_warm_let_in_cold_does_not_let_in_again() {
    let door = Door::open().await;
    door.cold_is(Health::Down);
    assert_eq!(door.shown().await, (ScanResult::Admitted, false));
    door.cold_is(Health::Up);
    // Nothing has brought the kept scan to cold yet: whoever scans the ticket next does.
    assert_eq!(door.shown().await, (USED, true));
}

#[tokio::test]
async fn what_warm_kept_is_brought_to_cold() {
    let door = Door::open().await;
    door.cold_is(Health::Down);
    assert_eq!(door.shown().await, (ScanResult::Admitted, false));
    let (platform, scope) = (&door.bench.platform, door.bench.scope);
    assert_eq!(replay_offline_scans(platform).await.unwrap(), 0, "not while cold is away");
    door.cold_is(Health::Up);
    assert_eq!(replay_offline_scans(platform).await.unwrap(), 1);
    let kept = loaded(platform, scope, || platform.kept_scans.kept(scope, None, 10)).await.unwrap();
    assert!(kept.is_empty());
    assert_eq!(door.shown().await, (USED, true));
}
