//! Creates gates and devices, pairs a device once, and packs what it needs offline.

use std::time::Duration;

use voelgoed_app::environment::{Environment as _, new_id};
use voelgoed_app::idempotency::ANSWER_RETENTION;
use voelgoed_app::scanning::create_device::{NewDevice, PAIRING_CODE_TTL};
use voelgoed_app::scanning::ports::Gate;
use voelgoed_app::scanning::ticket_codes::signer;
use voelgoed_app::token::fingerprint;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::payments::refund_plan::RefundSelection;
use voelgoed_domain::refusal::Code;
use voelgoed_testkit::platform::TestPlatform;

use super::scanner::ScannerFixture;
use crate::payments::order_states::refund;
use crate::support::{code, created, refusal};

const MICRO: Duration = Duration::from_micros(1);

async fn gate(shop: &TestPlatform, name: &str) -> Gate {
    created(shop.slices.scanning.create_gate(shop.scope, name, vec![], None).await)
}

async fn device(shop: &TestPlatform, gates: &[&Gate]) -> NewDevice {
    let gates = gates.iter().map(|gate| gate.id).collect();
    created(shop.slices.scanning.create_device(shop.scope, &[Scope::Scanning], "Phone", gates, None).await)
}

#[tokio::test]
async fn paired_device_has_a_key_and_its_own_gates() {
    let shop = TestPlatform::open().await;
    let (north, south) = (gate(&shop, "North").await, gate(&shop, "South").await);
    let new = device(&shop, &[&north]).await;
    assert_eq!(new.pairing_ends, shop.environment.now().plus(PAIRING_CODE_TTL));
    let paired = shop.slices.scanning.pair_device(&new.pairing_code.to_lowercase(), None).await.unwrap();
    assert_eq!((paired.device.id, paired.gates.as_slice()), (new.device.id, &[north][..]));
    assert_eq!(paired.device.paired_at, Some(shop.environment.now()));
    let known = shop.slices.accounts.credentials.device(fingerprint(&paired.key)).await.unwrap();
    assert_eq!(known.map(|device| device.id), Some(new.device.id));
    assert_eq!(shop.slices.scanning.directory.gates(shop.scope).await.unwrap().len(), 2, "{south:?} is not its own");
}

#[tokio::test]
async fn pairing_code_works_once_and_until_it_ends() {
    let shop = TestPlatform::open().await;
    let north = gate(&shop, "North").await;
    let (first, second) = (device(&shop, &[&north]).await, device(&shop, &[&north]).await);
    let pair = async |new: &NewDevice| shop.slices.scanning.pair_device(&new.pairing_code, None).await.map(drop);
    shop.environment.advance(PAIRING_CODE_TTL - MICRO);
    pair(&first).await.unwrap();
    assert_eq!(code(pair(&first).await), Code::PairingExpired, "it is used");
    shop.environment.advance(MICRO);
    assert_eq!(code(pair(&second).await), Code::PairingExpired, "it is over");
    for nonsense in ["", "not a code", "AAAA-BBBB"] {
        assert_eq!(code(shop.slices.scanning.pair_device(nonsense, None).await.map(drop)), Code::PairingExpired);
    }
}

#[tokio::test]
async fn repeated_pairing_has_the_same_key_while_answers_are_kept() {
    let shop = TestPlatform::open().await;
    let new = device(&shop, &[&gate(&shop, "North").await]).await;
    let pair = async |request| shop.slices.scanning.pair_device(&new.pairing_code, Some(request)).await;
    let first = pair("once").await.unwrap();
    assert_eq!(code(pair("another").await.map(drop)), Code::PairingExpired);
    shop.environment.advance(ANSWER_RETENTION - MICRO);
    let again = pair("once").await.unwrap();
    assert_eq!((again.key, again.device.id), (first.key, first.device.id));
    shop.environment.advance(MICRO);
    assert_eq!(code(pair("once").await.map(drop)), Code::PairingExpired);
}

#[tokio::test]
async fn pairing_of_a_revoked_device_is_not_repeated() {
    let shop = TestPlatform::open().await;
    let new = device(&shop, &[&gate(&shop, "North").await]).await;
    let pair = async || shop.slices.scanning.pair_device(&new.pairing_code, Some("once")).await;
    pair().await.unwrap();
    let now = shop.environment.now();
    let store = &shop.slices.scanning.store;
    assert!(store.revoke_device(shop.scope.organization, new.device.id, now).await.unwrap());
    assert_eq!(code(pair().await.map(drop)), Code::PairingExpired);
}

#[tokio::test]
async fn device_is_created_for_gates_of_its_event_by_a_caller_who_may_scan() {
    let shop = TestPlatform::open().await;
    let north = gate(&shop, "North").await;
    let create = async |granter: &[Scope], gates| {
        shop.slices.scanning.create_device(shop.scope, granter, "Phone", gates, None).await
    };
    assert_eq!(code(create(&[Scope::Admin], vec![north.id]).await), Code::MissingScope);
    for gates in [vec![], vec![north.id, new_id(&*shop.environment)]] {
        let refused = refusal(create(&[Scope::Scanning], gates).await);
        assert_eq!((refused.code, refused.evidence.field.as_deref()), (Code::InvalidRequest, Some("gates")));
    }
    created(create(&[Scope::Scanning], vec![north.id]).await);
}

#[tokio::test]
async fn offline_package_has_the_devices_gates_and_the_tickets_that_no_longer_admit() {
    let fixture = ScannerFixture::with_tickets(3).await;
    let shop = &fixture.shop;
    gate(shop, "South").await;
    fixture.enter(0).await;
    let refunded = shop.slices.checkout.orders.read_ticket(shop.scope.organization, fixture.tickets[1]).await.unwrap();
    let ticket = RefundSelection::Tickets(vec![fixture.tickets[1]]);
    created(refund(shop, refunded.unwrap().order, ticket, "refund").await);
    let package = shop.slices.scanning.offline_package(&fixture.device).await.unwrap();
    assert_eq!(package.gates, std::slice::from_ref(&fixture.gate));
    assert_eq!((package.admitted, package.revoked), (vec![fixture.tickets[0]], vec![fixture.tickets[1]]));
    let listing = shop.slices.catalog.listings.listing(shop.scope).await.unwrap();
    assert_eq!((package.window, package.event), (listing.event.admission_window(), listing.event.clone()));
    let ours = signer(&shop.slices.context.master, shop.scope.organization);
    assert_eq!(package.signer.public_key(), ours.public_key());
    assert_eq!(package.now, shop.environment.now());
    let window = &package.windows[0];
    assert_eq!((package.windows.len(), window.ticket_type), (1, shop.ticket_type));
    assert_eq!(window.window, listing.admission_window(&listing.ticket_types[0]));
    let mut listed = window.tickets.clone();
    listed.sort_unstable();
    assert_eq!(listed, [fixture.tickets[0], fixture.tickets[2]], "revoked ones are left out");
}

#[tokio::test]
async fn offline_package_lists_tickets_only_of_types_with_own_times() {
    let shop = TestPlatform::builder().ticket_type(|it| it.admission = Default::default()).open().await;
    let fixture = ScannerFixture::on(shop, 1).await;
    let package = fixture.shop.slices.scanning.offline_package(&fixture.device).await.unwrap();
    assert!(package.windows.is_empty() && package.admitted.is_empty() && package.revoked.is_empty());
}
