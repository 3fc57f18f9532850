//! What `ScanStore` promises of gates and devices: they stay with their event and organization, a pairing code is used once (P7).

use std::time::Duration;

use voelgoed_app::accounts::ports::AccountStore;
use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::idempotency::Created;
use voelgoed_app::scanning::ports::{Device, Gate, ScanStore};
use voelgoed_domain::ids::{EventId, GateId, OrganizationId};
use voelgoed_domain::refusal::Code;

use crate::catalogue::{event, made, organization};
use crate::idempotency::a_record;
use crate::subject::{Subject, TestEnvironment};

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! device_store_suite {
    ($open:expr) => {
        $crate::cases! { devices, $open;
            gates_belong_to_an_event_of_their_organization
            a_device_stands_at_gates_of_its_event_only
            a_pairing_code_is_used_once_and_in_time
            of_many_who_pair_at_once_one_does
            a_revoked_device_is_known_and_says_so
            a_repeated_creation_makes_nothing
        }
    };
}

const SECOND: Duration = Duration::from_secs(1);
const CODE: [u8; 32] = [1; 32];
const KEY: [u8; 32] = [2; 32];

/// What the cases need of an adapter.
pub trait Gates: AccountStore + CatalogStore + ScanStore {}
impl<S: AccountStore + CatalogStore + ScanStore> Gates for S {}

fn a_gate(environment: &TestEnvironment, event: EventId) -> Gate {
    Gate { id: fresh(environment), event, name: "North".into(), areas: vec![fresh(environment), fresh(environment)] }
}

fn a_device(environment: &TestEnvironment, organization: OrganizationId, event: EventId, gates: Vec<GateId>) -> Device {
    Device {
        id: fresh(environment),
        organization,
        event,
        name: "Phone 1".into(),
        gates,
        paired_at: None,
        revoked_at: None,
    }
}

/// An event, a gate of it, and a device at that gate, waiting for [`CODE`] for one second.
async fn standing<S: Gates>(subject: &Subject<S>, organization: OrganizationId) -> (EventId, Gate, Device) {
    let event = event(subject, organization).await.id;
    let gate = a_gate(&subject.environment, event);
    made(subject.store.create_gate(organization, gate.clone(), None).await.unwrap());
    let device = a_device(&subject.environment, organization, event, vec![gate.id]);
    let ends = subject.environment.now().plus(SECOND);
    made(subject.store.create_device(organization, device.clone(), CODE, ends, None).await.unwrap());
    (event, gate, device)
}

/// `not_found` otherwise; lists are of one event of one organization.
pub async fn gates_belong_to_an_event_of_their_organization<S: Gates>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let [one, other] = [event(&subject, a).await.id, event(&subject, a).await.id];
    let gates =
        [a_gate(&subject.environment, one), a_gate(&subject.environment, one), a_gate(&subject.environment, other)];
    for gate in &gates {
        made(subject.store.create_gate(a, gate.clone(), None).await.unwrap());
    }
    for (organization, event) in [(b, one), (a, fresh(&*subject.environment))] {
        let refused = subject.store.create_gate(organization, a_gate(&subject.environment, event), None).await.unwrap();
        assert_eq!(refused.unwrap_err().code, Code::NotFound);
    }
    assert_eq!(subject.store.gates(a, one).await.unwrap(), gates[..2]);
    assert_eq!(subject.store.gates(a, other).await.unwrap(), gates[2..]);
    assert!(subject.store.gates(b, one).await.unwrap().is_empty());
}

/// `not_found` for another event's or organization's gates; twice the same gate is fine.
pub async fn a_device_stands_at_gates_of_its_event_only<S: Gates>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let (event_a, gate, device) = standing(&subject, a).await;
    let elsewhere = event(&subject, a).await.id;
    let ends = subject.environment.now().plus(SECOND);
    for (organization, event, gates) in [
        (a, elsewhere, vec![gate.id]),
        (a, event_a, vec![gate.id, fresh(&*subject.environment)]),
        (b, event_a, vec![gate.id]),
        (b, event_a, vec![]),
        (a, fresh(&*subject.environment), vec![]),
    ] {
        let device = a_device(&subject.environment, organization, event, gates);
        let refused = subject.store.create_device(organization, device, [9; 32], ends, None).await.unwrap();
        assert_eq!(refused.unwrap_err().code, Code::NotFound);
    }
    let twice = a_device(&subject.environment, a, event_a, vec![gate.id, gate.id]);
    made(subject.store.create_device(a, twice.clone(), [9; 32], ends, None).await.unwrap());
    assert_eq!(subject.store.devices(a, event_a).await.unwrap(), [device, twice]);
    assert!(subject.store.devices(b, event_a).await.unwrap().is_empty());
    assert!(subject.store.devices(a, elsewhere).await.unwrap().is_empty());
}

/// `pairing_expired` for a code that is used, over, or never was.
pub async fn a_pairing_code_is_used_once_and_in_time<S: Gates>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let (_, _, device) = standing(&subject, organization).await;
    let now = subject.environment.now();
    let pair = |code, key, now| {
        let store = &subject.store;
        async move { store.pair(code, key, now).await.unwrap().map_err(|refusal| refusal.code) }
    };
    assert_eq!(pair([9; 32], KEY, now).await, Err(Code::PairingExpired));
    assert_eq!(pair(CODE, KEY, now.plus(SECOND)).await, Err(Code::PairingExpired));
    assert_eq!(subject.store.device_by_key(KEY).await.unwrap(), None);
    let paired = Device { paired_at: Some(now), ..device };
    assert_eq!(pair(CODE, KEY, now).await, Ok(paired.clone()));
    assert_eq!(pair(CODE, [3; 32], now).await, Err(Code::PairingExpired));
    assert_eq!(subject.store.device_by_key(KEY).await.unwrap(), Some(paired));
    assert_eq!(subject.store.device_by_key([3; 32]).await.unwrap(), None);
}

/// The others are told that it is used.
pub async fn of_many_who_pair_at_once_one_does<S: Gates>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    standing(&subject, organization).await;
    let now = subject.environment.now();
    let tries = (10..26_u8).map(|number| {
        let store = subject.store.clone();
        tokio::spawn(async move { store.pair(CODE, [number; 32], now).await.unwrap().is_ok() })
    });
    let mut paired = 0;
    for one in tries.collect::<Vec<_>>() {
        paired += u32::from(one.await.unwrap());
    }
    assert_eq!(paired, 1);
}

/// By its own organization only; a code that waits is over with it.
pub async fn a_revoked_device_is_known_and_says_so<S: Gates>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let (event, gate, device) = standing(&subject, a).await;
    let now = subject.environment.now();
    subject.store.pair(CODE, KEY, now).await.unwrap().unwrap();
    assert!(!subject.store.revoke_device(b, device.id, now).await.unwrap());
    assert!(!subject.store.revoke_device(a, fresh(&*subject.environment), now).await.unwrap());
    assert_eq!(subject.store.device_by_key(KEY).await.unwrap().unwrap().revoked_at, None);
    assert!(subject.store.revoke_device(a, device.id, now).await.unwrap());
    assert!(subject.store.revoke_device(a, device.id, now.plus(SECOND)).await.unwrap());
    assert_eq!(
        subject.store.device_by_key(KEY).await.unwrap().unwrap().revoked_at,
        Some(now),
        "the first moment stays"
    );
    let waiting = a_device(&subject.environment, a, event, vec![gate.id]);
    made(subject.store.create_device(a, waiting.clone(), [9; 32], now.plus(SECOND), None).await.unwrap());
    assert!(subject.store.revoke_device(a, waiting.id, now).await.unwrap());
    let refused = subject.store.pair([9; 32], [8; 32], now).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::PairingExpired);
}

/// Gate and device alike.
pub async fn a_repeated_creation_makes_nothing<S: Gates>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let (event, gate, _) = standing(&subject, organization).await;
    let environment = &*subject.environment;
    let ends = environment.now().plus(SECOND);
    for round in 0..2 {
        let record = |scope| Some(a_record(environment, scope, [1; 32], "answer"));
        let created = subject.store.create_gate(organization, a_gate(environment, event), record("gate")).await;
        assert_eq!(matches!(created.unwrap().unwrap(), Created::Replayed(_)), round == 1);
        let device = a_device(environment, organization, event, vec![gate.id]);
        let created = subject.store.create_device(organization, device, [7; 32], ends, record("device")).await;
        assert_eq!(matches!(created.unwrap().unwrap(), Created::Replayed(_)), round == 1);
    }
    assert_eq!(subject.store.gates(organization, event).await.unwrap().len(), 2);
    assert_eq!(subject.store.devices(organization, event).await.unwrap().len(), 2);
}
