//! Contract tests of the gates and devices of `ScanStore`: they belong to one event and organization, a pairing code is used once (P7).

use std::time::Duration;

use voelgoed_app::accounts::ports::AccountStore;
use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::idempotency::Created;
use voelgoed_app::scanning::ports::{Device, Gate, ScanStore};
use voelgoed_domain::ids::{EventId, GateId, OrganizationId};
use voelgoed_domain::refusal::Code;

use crate::catalog_fixtures::{expect_created, stored_event, stored_organization};
use crate::idempotency::idempotency_record;
use crate::sut::{Sut, TestEnvironment};

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! device_store_suite {
    ($open:expr) => {
        $crate::cases! { devices, $open;
            gate_of_another_organizations_event_is_refused
            device_at_a_gate_of_another_event_is_refused
            pairing_code_works_once_before_it_expires
            one_of_many_concurrent_pairings_succeeds
            revoked_device_is_still_found_by_its_key
            repeated_creation_creates_nothing
        }
    };
}

const SECOND: Duration = Duration::from_secs(1);
const CODE: [u8; 32] = [1; 32];
const KEY: [u8; 32] = [2; 32];

/// The ports that the cases need.
pub trait DeviceTier: AccountStore + CatalogStore + ScanStore {}
impl<S: AccountStore + CatalogStore + ScanStore> DeviceTier for S {}

fn new_gate(environment: &TestEnvironment, event: EventId) -> Gate {
    Gate { id: new_id(environment), event, name: "North".into(), areas: vec![new_id(environment), new_id(environment)] }
}

fn new_device(
    environment: &TestEnvironment,
    organization: OrganizationId,
    event: EventId,
    gates: Vec<GateId>,
) -> Device {
    Device {
        id: new_id(environment),
        organization,
        event,
        name: "Phone 1".into(),
        gates,
        paired_at: None,
        revoked_at: None,
    }
}

/// An event, a gate of it, and a device at that gate that can be paired with [`CODE`] for one second.
async fn unpaired_device<S: DeviceTier>(sut: &Sut<S>, organization: OrganizationId) -> (EventId, Gate, Device) {
    let event = stored_event(sut, organization).await.id;
    let gate = new_gate(&sut.environment, event);
    expect_created(sut.store.create_gate(organization, gate.clone(), None).await.unwrap());
    let device = new_device(&sut.environment, organization, event, vec![gate.id]);
    let ends = sut.environment.now().plus(SECOND);
    expect_created(sut.store.create_device(organization, device.clone(), CODE, ends, None).await.unwrap());
    (event, gate, device)
}

/// `not_found` for other events; gates are listed per event and organization.
pub async fn gate_of_another_organizations_event_is_refused<S: DeviceTier>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let [one, other] = [stored_event(&sut, a).await.id, stored_event(&sut, a).await.id];
    let gates = [new_gate(&sut.environment, one), new_gate(&sut.environment, one), new_gate(&sut.environment, other)];
    for gate in &gates {
        expect_created(sut.store.create_gate(a, gate.clone(), None).await.unwrap());
    }
    for (organization, event) in [(b, one), (a, new_id(&*sut.environment))] {
        let refused = sut.store.create_gate(organization, new_gate(&sut.environment, event), None).await.unwrap();
        assert_eq!(refused.unwrap_err().code, Code::NotFound);
    }
    assert_eq!(sut.store.gates(a, one).await.unwrap(), gates[..2]);
    assert_eq!(sut.store.gates(a, other).await.unwrap(), gates[2..]);
    assert!(sut.store.gates(b, one).await.unwrap().is_empty());
}

/// `not_found` for gates of another event or organization; the same gate twice is accepted.
pub async fn device_at_a_gate_of_another_event_is_refused<S: DeviceTier>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let (event_a, gate, device) = unpaired_device(&sut, a).await;
    let elsewhere = stored_event(&sut, a).await.id;
    let ends = sut.environment.now().plus(SECOND);
    for (organization, event, gates) in [
        (a, elsewhere, vec![gate.id]),
        (a, event_a, vec![gate.id, new_id(&*sut.environment)]),
        (b, event_a, vec![gate.id]),
        (b, event_a, vec![]),
        (a, new_id(&*sut.environment), vec![]),
    ] {
        let device = new_device(&sut.environment, organization, event, gates);
        let refused = sut.store.create_device(organization, device, [9; 32], ends, None).await.unwrap();
        assert_eq!(refused.unwrap_err().code, Code::NotFound);
    }
    let twice = new_device(&sut.environment, a, event_a, vec![gate.id, gate.id]);
    expect_created(sut.store.create_device(a, twice.clone(), [9; 32], ends, None).await.unwrap());
    assert_eq!(sut.store.devices(a, event_a).await.unwrap(), [device, twice]);
    assert!(sut.store.devices(b, event_a).await.unwrap().is_empty());
    assert!(sut.store.devices(a, elsewhere).await.unwrap().is_empty());
}

/// A used, expired or unknown code is `pairing_expired`.
pub async fn pairing_code_works_once_before_it_expires<S: DeviceTier>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let (_, _, device) = unpaired_device(&sut, organization).await;
    let now = sut.environment.now();
    let pair = |code, key, now| {
        let store = &sut.store;
        async move { store.pair(code, key, now).await.unwrap().map_err(|refusal| refusal.code) }
    };
    assert_eq!(pair([9; 32], KEY, now).await, Err(Code::PairingExpired));
    assert_eq!(pair(CODE, KEY, now.plus(SECOND)).await, Err(Code::PairingExpired));
    assert_eq!(sut.store.device_by_key(KEY).await.unwrap(), None);
    let paired = Device { paired_at: Some(now), ..device };
    assert_eq!(pair(CODE, KEY, now).await, Ok(paired.clone()));
    assert_eq!(pair(CODE, [3; 32], now).await, Err(Code::PairingExpired));
    assert_eq!(sut.store.device_by_key(KEY).await.unwrap(), Some(paired));
    assert_eq!(sut.store.device_by_key([3; 32]).await.unwrap(), None);
}

/// Fifteen of sixteen attempts are refused.
pub async fn one_of_many_concurrent_pairings_succeeds<S: DeviceTier>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    unpaired_device(&sut, organization).await;
    let now = sut.environment.now();
    let attempts = (10..26_u8).map(|number| {
        let store = sut.store.clone();
        tokio::spawn(async move { store.pair(CODE, [number; 32], now).await.unwrap().is_ok() })
    });
    let mut paired = 0;
    for one in attempts.collect::<Vec<_>>() {
        paired += u32::from(one.await.unwrap());
    }
    assert_eq!(paired, 1);
}

/// Only its own organization revokes a device; its unused pairing code expires with it.
pub async fn revoked_device_is_still_found_by_its_key<S: DeviceTier>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let (event, gate, device) = unpaired_device(&sut, a).await;
    let now = sut.environment.now();
    sut.store.pair(CODE, KEY, now).await.unwrap().unwrap();
    assert!(!sut.store.revoke_device(b, device.id, now).await.unwrap());
    assert!(!sut.store.revoke_device(a, new_id(&*sut.environment), now).await.unwrap());
    assert_eq!(sut.store.device_by_key(KEY).await.unwrap().unwrap().revoked_at, None);
    assert!(sut.store.revoke_device(a, device.id, now).await.unwrap());
    assert!(sut.store.revoke_device(a, device.id, now.plus(SECOND)).await.unwrap());
    assert_eq!(sut.store.device_by_key(KEY).await.unwrap().unwrap().revoked_at, Some(now), "the first time is kept");
    let waiting = new_device(&sut.environment, a, event, vec![gate.id]);
    expect_created(sut.store.create_device(a, waiting.clone(), [9; 32], now.plus(SECOND), None).await.unwrap());
    assert!(sut.store.revoke_device(a, waiting.id, now).await.unwrap());
    let refused = sut.store.pair([9; 32], [8; 32], now).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::PairingExpired);
}

/// Gates and devices alike: the repeat replays the first answer.
pub async fn repeated_creation_creates_nothing<S: DeviceTier>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let (event, gate, _) = unpaired_device(&sut, organization).await;
    let environment = &*sut.environment;
    let ends = environment.now().plus(SECOND);
    for round in 0..2 {
        let record = |caller| Some(idempotency_record(environment, caller, [1; 32], "answer"));
        let created = sut.store.create_gate(organization, new_gate(environment, event), record("gate")).await;
        assert_eq!(matches!(created.unwrap().unwrap(), Created::Replayed(_)), round == 1);
        let device = new_device(environment, organization, event, vec![gate.id]);
        let created = sut.store.create_device(organization, device, [7; 32], ends, record("device")).await;
        assert_eq!(matches!(created.unwrap().unwrap(), Created::Replayed(_)), round == 1);
    }
    assert_eq!(sut.store.gates(organization, event).await.unwrap().len(), 2);
    assert_eq!(sut.store.devices(organization, event).await.unwrap().len(), 2);
}
