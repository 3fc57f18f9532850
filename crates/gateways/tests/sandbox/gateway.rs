//! Tests what the gateway observes of the provider's real server, also while the provider is stopped or moved.

use std::time::Duration;

use voelgoed_app::payments::ports::{Charge, PaymentGateway, RefundObservation};
use voelgoed_contracts::test_directory::TestDirectory;
use voelgoed_domain::payments::decide::Observation;
use voelgoed_gateways::sandbox::UNREACHABLE_URL;
use voelgoed_resilience::{Capabilities, Dependency, DependencyHealth};
use voelgoed_sandbox_psp::protocol::{ChargeState, METHODS};

use super::support::{CallbackInbox, InProcessProvider, config, now, until};
use super::values::{charge, gateway, id, key, name, refund, zar};

#[tokio::test]
async fn each_method_is_observed_as_its_row_says() {
    let (directory, inbox) = (TestDirectory::new("gateway"), CallbackInbox::open().await);
    let mut config = config(directory.path());
    config.callback_url = Some(inbox.url.clone());
    let provider = InProcessProvider::start(config).await;
    let gateway = gateway(&provider.url, Duration::from_millis(1500));
    // Method; what the charge, the last poll, and then a cancellation, a poll and another charge observe.
    let rows = [
        ("ok", "captured", "captured", "captured", "captured", "captured"),
        ("declined", "declined", "declined", "declined", "declined", "declined"),
        ("slow", "pending", "captured", "captured", "captured", "captured"),
        ("timeout", "no answer", "captured", "captured", "captured", "no answer"),
        ("late", "pending", "captured", "captured", "captured", "captured"),
        ("twice", "pending", "captured", "captured", "captured", "captured"),
        ("lost", "pending", "captured", "captured", "captured", "captured"),
        ("down", "not reached", "absent", "voided", "absent", "not reached"),
    ];
    assert_eq!(rows.map(|row| row.0), *METHODS, "every method has a row");
    for (number, (method, sent, end, cancelled, polled, again)) in rows.into_iter().enumerate() {
        let number = number as u128;
        assert!(gateway.has_method(method));
        assert_eq!(name(&gateway.charge(&charge(number, method)).await), sent, "{method} sent");
        let seen = async || Some(gateway.poll(key(number)).await).filter(|seen| name(seen) == end);
        until(&format!("{method} {end}"), seen).await;
        assert_eq!(name(&gateway.cancel(key(number)).await), cancelled, "{method} cancelled");
        assert_eq!(name(&gateway.poll(key(number)).await), polled, "{method} polled");
        assert_eq!(name(&gateway.charge(&charge(number, method)).await), again, "{method} again");
    }
    assert!(!gateway.has_method("cash"));
    provider.until_all_callbacks_delivered().await;
    assert_eq!(inbox.received().len(), 7);
    for received in inbox.received() {
        let callback = gateway.verify_callback(&received.headers, &received.bytes, now()).unwrap();
        let expected = if received.body.state == ChargeState::Declined { "declined" } else { "captured" };
        assert_eq!(name(&callback.observation), expected);
        assert_eq!(name(&gateway.poll(callback.key).await), expected, "a callback and a poll agree");
    }
}

#[tokio::test]
async fn cancelled_key_is_voided_and_never_charged() {
    let directory = TestDirectory::new("gateway");
    let provider = InProcessProvider::start(config(directory.path())).await;
    let gateway = gateway(&provider.url, Duration::from_secs(5));
    assert_eq!(gateway.cancel(key(1)).await, Observation::Voided);
    assert_eq!(gateway.charge(&charge(1, "ok")).await, Observation::Voided, "a charge after its cancellation");
    let later = Charge { pay_by: now().plus(Duration::from_secs(600)), ..charge(2, "late") };
    assert_eq!(gateway.charge(&later).await, Observation::Pending);
    assert_eq!(gateway.cancel(key(2)).await, Observation::Pending, "late ignores cancellations");
    let expired = Charge { send_before: now().minus(Duration::from_secs(1)), ..charge(3, "ok") };
    assert_eq!(gateway.charge(&expired).await, Observation::NotReached);
    assert_eq!(gateway.poll(key(3)).await, Observation::Absent);
    let free = Charge { amount: zar(0), ..charge(4, "ok") };
    assert_eq!(name(&gateway.charge(&free).await), "declined");
}

#[tokio::test]
async fn provider_is_found_once_its_url_is_set() {
    let gateway = gateway(UNREACHABLE_URL, Duration::from_secs(5));
    assert!(!gateway.has_endpoint());
    assert_eq!(gateway.poll(key(1)).await, Observation::NoAnswer, "a refused connection proves nothing about a charge");
    let directory = TestDirectory::new("gateway");
    let provider = InProcessProvider::start(config(directory.path())).await;
    gateway.set_url(provider.url.clone());
    assert!(gateway.has_endpoint());
    assert_eq!(name(&gateway.charge(&charge(1, "ok")).await), "captured");
}

#[tokio::test]
async fn refund_is_done_once_and_never_exceeds_the_capture() {
    let directory = TestDirectory::new("gateway");
    let provider = InProcessProvider::start(config(directory.path())).await;
    let gateway = gateway(&provider.url, Duration::from_secs(5));
    gateway.charge(&charge(1, "ok")).await;
    assert_eq!(gateway.poll_refund(id(7)).await, RefundObservation::NotReached);
    let done = gateway.refund(&refund(7, 1, 400)).await;
    assert!(matches!(&done, RefundObservation::Done { provider_ref } if provider_ref.starts_with("sbr_")), "{done:?}");
    assert_eq!(gateway.refund(&refund(7, 1, 400)).await, done);
    assert_eq!(gateway.poll_refund(id(7)).await, done);
    for too_much in [refund(8, 1, 51), refund(8, 2, 1)] {
        assert!(matches!(gateway.refund(&too_much).await, RefundObservation::Failed { .. }), "{too_much:?}");
    }
    provider.kill().await;
    assert_eq!(gateway.refund(&refund(9, 1, 50)).await, RefundObservation::NotReached);
    assert_eq!(gateway.poll_refund(id(7)).await, RefundObservation::NoAnswer);
}

#[tokio::test]
async fn stopped_provider_is_not_reached_and_is_found_again_at_its_new_url() {
    let directory = TestDirectory::new("gateway");
    let provider = InProcessProvider::start(config(directory.path())).await;
    let capabilities = Capabilities::new();
    let gateway = gateway(&provider.url, Duration::from_secs(2)).reporting(capabilities.clone());
    assert_eq!(name(&gateway.charge(&charge(1, "ok")).await), "captured");
    provider.kill().await;
    for number in 2..12 {
        assert_eq!(gateway.charge(&charge(number, "ok")).await, Observation::NotReached, "{number}");
    }
    assert_eq!(
        gateway.poll(key(1)).await,
        Observation::NoAnswer,
        "a refused connection does not prove that a charge is absent"
    );
    assert_eq!(gateway.cancel(key(1)).await, Observation::NoAnswer);
    until("the breaker opens", async || {
        gateway.poll(key(1)).await;
        (capabilities.health(Dependency::PaymentProvider) == DependencyHealth::Down).then_some(())
    })
    .await;
    let mut elsewhere = config(directory.path());
    elsewhere.listen = "127.0.0.2:0".parse().unwrap();
    let provider = InProcessProvider::start(elsewhere).await;
    gateway.set_url(&provider.url);
    until("the charge is found again", async || {
        Some(gateway.poll(key(1)).await).filter(|seen| name(seen) == "captured")
    })
    .await;
    until("the breaker closes", async || {
        gateway.poll(key(1)).await;
        (capabilities.health(Dependency::PaymentProvider) == DependencyHealth::Up).then_some(())
    })
    .await;
}

#[tokio::test]
async fn refused_charges_at_the_closed_port_do_not_open_the_breaker_of_the_open_one() {
    let directory = TestDirectory::new("gateway");
    let provider = InProcessProvider::start(config(directory.path())).await;
    let gateway = gateway(&provider.url, Duration::from_secs(2));
    for number in 0..30 {
        assert_eq!(gateway.charge(&charge(number, "down")).await, Observation::NotReached);
    }
    assert_eq!(name(&gateway.charge(&charge(99, "ok")).await), "captured");
}

/// Runs the suite of every payment gateway.
#[tokio::test]
async fn sandbox_gateway_passes_the_contract_of_the_port() {
    use voelgoed_contracts::payment_gateway as contract;
    let directory = TestDirectory::new("gateway");
    let provider = InProcessProvider::start(config(directory.path())).await;
    let gateway = gateway(&provider.url, Duration::from_secs(5));
    contract::a_key_charges_once(&gateway, &charge(1, "ok")).await;
    contract::cancelled_key_is_never_charged(&gateway, &charge(2, "ok")).await;
    contract::a_captured_charge_is_not_cancelled(&gateway, &charge(3, "ok")).await;
    contract::refund_is_paid_once(&gateway, &charge(4, "ok"), [refund(1, 4, 450), refund(2, 4, 1)]).await;
    contract::unsigned_callback_is_rejected(&gateway, key(1), now());
}
