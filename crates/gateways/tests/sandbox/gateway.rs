//! The shop's gateway against the real provider, and against networks that lie.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use voelgoed_app::payments::ports::{
    CallbackRejected, Charge, PaymentGateway, ProviderKey, RefundCharge, RefundObservation,
};
use voelgoed_domain::ids::{Id, Kind};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::decide::Observation;
use voelgoed_gateways::sandbox::protocol::{ChargeState, METHODS};
use voelgoed_gateways::sandbox::{NOWHERE, SandboxGateway, SandboxGatewayConfig};
use voelgoed_resilience::{Capabilities, Dependency, Health};

use super::support::provider::{Provider, config};
use super::support::shop::Shop;
use super::support::{Directory, now, secret, until};

fn id<K: Kind>(number: u128) -> Id<K> {
    serde_json::from_value(format!("{}_{number:032x}", K::PREFIX).into()).unwrap()
}

fn key(number: u128) -> ProviderKey {
    ProviderKey { organization: id(1), order: id(2), payment: id(number) }
}

fn zar(amount: i64) -> Money {
    Money::new(amount, Currency::ZAR)
}

fn charge(number: u128, method: &str) -> Charge {
    Charge {
        key: key(number),
        amount: zar(450),
        method: method.into(),
        send_before: now().plus(Duration::from_secs(60)),
        pay_by: now().plus(Duration::from_millis(50)),
    }
}

fn refund(number: u128, charge: u128, amount: i64) -> RefundCharge {
    RefundCharge { refund: id(number), key: key(charge), amount: zar(amount) }
}

fn gateway(url: &str, deadline: Duration) -> SandboxGateway {
    SandboxGateway::new(SandboxGatewayConfig { deadline, ..SandboxGatewayConfig::new(url, secret()) }).unwrap()
}

/// The observation without what differs between runs.
fn name(observation: &Observation) -> &'static str {
    match observation {
        Observation::Pending => "pending",
        Observation::Captured { amount, provider_ref } if *amount == zar(450) && provider_ref.starts_with("sbx_") => {
            "captured"
        }
        Observation::Captured { .. } => "captured wrongly",
        Observation::Claimed { .. } => "claimed",
        Observation::Declined { .. } => "declined",
        Observation::Voided => "voided",
        Observation::NotReached => "not reached",
        Observation::Absent => "absent",
        Observation::NoAnswer => "no answer",
    }
}

#[tokio::test]
async fn what_the_shop_observes_of_each_method() {
    let (directory, shop) = (Directory::new(), Shop::open().await);
    let mut config = config(&directory.data_file());
    config.callback_url = Some(shop.url.clone());
    let provider = Provider::start(config).await;
    let gateway = gateway(&provider.desk.url, Duration::from_millis(1500));
    // Method; what the charge, then polling in the end, then a cancellation, a poll and a charge after that observe.
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
    assert_eq!(rows.map(|row| row.0), *METHODS, "no method is left out");
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
    provider.desk.until_all_delivered().await;
    assert_eq!(shop.received().len(), 7);
    for received in shop.received() {
        let callback = gateway.verify_callback(&received.headers, &received.bytes, now()).unwrap();
        let expected = if received.body.state == ChargeState::Declined { "declined" } else { "captured" };
        assert_eq!(name(&callback.observation), expected);
        assert_eq!(name(&gateway.poll(callback.key).await), expected, "a callback and a poll say the same");
    }
}

#[tokio::test]
async fn cancelling_before_capture_voids_and_bars() {
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    let gateway = gateway(&provider.desk.url, Duration::from_secs(5));
    assert_eq!(gateway.cancel(key(1)).await, Observation::Voided);
    assert_eq!(
        gateway.charge(&charge(1, "ok")).await,
        Observation::Voided,
        "a charge that comes after its cancellation"
    );
    let later = Charge { pay_by: now().plus(Duration::from_secs(600)), ..charge(2, "late") };
    assert_eq!(gateway.charge(&later).await, Observation::Pending);
    assert_eq!(gateway.cancel(key(2)).await, Observation::Pending, "late ignores it");
    let expired = Charge { send_before: now().minus(Duration::from_secs(1)), ..charge(3, "ok") };
    assert_eq!(gateway.charge(&expired).await, Observation::NotReached);
    assert_eq!(gateway.poll(key(3)).await, Observation::Absent);
    let free = Charge { amount: zar(0), ..charge(4, "ok") };
    assert_eq!(name(&gateway.charge(&free).await), "declined");
}

#[tokio::test]
async fn a_provider_is_found_once_somebody_said_where_it_is() {
    let gateway = gateway(NOWHERE, Duration::from_secs(5));
    assert!(!gateway.is_found());
    assert_eq!(gateway.poll(key(1)).await, Observation::NoAnswer, "nobody is there, and that proves nothing");
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    gateway.move_to(provider.desk.url.clone());
    assert!(gateway.is_found());
    assert_eq!(name(&gateway.charge(&charge(1, "ok")).await), "captured");
}

#[tokio::test]
async fn refunds_are_done_once_and_never_too_large() {
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    let gateway = gateway(&provider.desk.url, Duration::from_secs(5));
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

/// How a server that is none behaves to whoever connects.
#[derive(Debug, Clone, Copy)]
enum Lie {
    /// Reads the request and hangs up.
    HangUp,
    /// Answers half of what it announced and hangs up.
    Half,
    /// Answers something else.
    Nonsense,
    /// Reads and is silent.
    Silent,
    /// Never lets anybody in, while the kernel completes the connection.
    NeverAccepts,
}

/// Such a server and its URL; it says the truth about where charges are taken, and ends with the tasks.
async fn liar(lie: Lie) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    let base = url.clone();
    tasks.spawn(async move {
        if matches!(lie, Lie::NeverAccepts) {
            std::future::pending::<()>().await;
        }
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(answer(stream, lie, base.clone()));
        }
    });
    (url, tasks)
}

async fn answer(mut stream: TcpStream, lie: Lie, base: String) {
    let mut request = vec![0; 4096];
    let read = stream.read(&mut request).await.unwrap_or(0);
    let methods = format!(r#"{{"methods":[{{"name":"ok","url":"{base}"}}]}}"#);
    let length = methods.len();
    let answer = match lie {
        _ if request[..read].starts_with(b"GET /methods") => {
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{methods}")
        }
        Lie::HangUp => return,
        Lie::Half => "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"key\":".to_owned(),
        Lie::Nonsense => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello".to_owned(),
        Lie::Silent | Lie::NeverAccepts => std::future::pending().await,
    };
    stream.write_all(answer.as_bytes()).await.ok();
}

#[tokio::test]
async fn a_network_that_lies_is_never_believed() {
    // What a server does; what the shop observes of a charge.
    let rows = [
        (Lie::HangUp, Observation::NoAnswer),
        (Lie::Half, Observation::NoAnswer),
        (Lie::Nonsense, Observation::NoAnswer),
        (Lie::Silent, Observation::NoAnswer),
        // It never says where charges are taken, so the charge itself is not sent.
        (Lie::NeverAccepts, Observation::NotReached),
    ];
    for (lie, of_charge) in rows {
        let (url, _tasks) = liar(lie).await;
        let gateway = gateway(&url, Duration::from_millis(400));
        assert_eq!(gateway.charge(&charge(1, "ok")).await, of_charge, "{lie:?}");
        assert_eq!(gateway.poll(key(1)).await, Observation::NoAnswer, "{lie:?}");
        assert_eq!(gateway.cancel(key(1)).await, Observation::NoAnswer, "{lie:?}");
        assert_eq!(gateway.refund(&refund(1, 1, 1)).await, RefundObservation::NoAnswer, "{lie:?}");
        assert_eq!(gateway.poll_refund(id(1)).await, RefundObservation::NoAnswer, "{lie:?}");
    }
}

#[tokio::test]
async fn a_provider_that_is_gone_is_not_reached_and_found_again_where_it_moved() {
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    let capabilities = Capabilities::new();
    let gateway = gateway(&provider.desk.url, Duration::from_secs(2)).reporting(capabilities.clone());
    assert_eq!(name(&gateway.charge(&charge(1, "ok")).await), "captured");
    provider.kill().await;
    for number in 2..12 {
        assert_eq!(gateway.charge(&charge(number, "ok")).await, Observation::NotReached, "{number}");
    }
    assert_eq!(
        gateway.poll(key(1)).await,
        Observation::NoAnswer,
        "silence about a charge that was taken is not its absence"
    );
    assert_eq!(gateway.cancel(key(1)).await, Observation::NoAnswer);
    until("its breaker opens", async || {
        gateway.poll(key(1)).await;
        (capabilities.health(Dependency::PaymentProvider) == Health::Down).then_some(())
    })
    .await;
    let mut elsewhere = config(&directory.data_file());
    elsewhere.listen = "127.0.0.2:0".parse().unwrap();
    let provider = Provider::start(elsewhere).await;
    gateway.move_to(&provider.desk.url);
    until("it is found again", async || Some(gateway.poll(key(1)).await).filter(|seen| name(seen) == "captured")).await;
    until("its breaker closes", async || {
        gateway.poll(key(1)).await;
        (capabilities.health(Dependency::PaymentProvider) == Health::Up).then_some(())
    })
    .await;
}

#[tokio::test]
async fn many_charges_to_the_closed_port_leave_the_open_one_alone() {
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    let gateway = gateway(&provider.desk.url, Duration::from_secs(2));
    for number in 0..30 {
        assert_eq!(gateway.charge(&charge(number, "down")).await, Observation::NotReached);
    }
    assert_eq!(name(&gateway.charge(&charge(99, "ok")).await), "captured");
}

#[tokio::test]
async fn a_callback_is_believed_only_whole_signed_and_in_time() {
    let (directory, shop) = (Directory::new(), Shop::open().await);
    let provider = Provider::plain(&directory.data_file()).await;
    let gateway = gateway(&provider.desk.url, Duration::from_secs(5));
    gateway.announce_callback_url(&shop.url, now()).await.unwrap();
    gateway.charge(&charge(1, "ok")).await;
    let received = shop.until_received(1).await.remove(0);
    let (headers, body) = (&received.headers, received.bytes.as_slice());
    assert_eq!(gateway.verify_callback(headers, body, now()).unwrap().key, key(1));
    let loud: Vec<_> = headers.iter().map(|(name, value)| (name.to_uppercase(), value.clone())).collect();
    assert!(gateway.verify_callback(&loud, body, now()).is_ok());

    use CallbackRejected::{Forged, Malformed, NotOurs, Stale};
    let reject = |headers: &[(String, String)], body: &[u8], at| gateway.verify_callback(headers, body, at).err();
    let altered = String::from_utf8(body.to_vec()).unwrap().replace("450", "451");
    let without: Vec<_> = headers.iter().filter(|(name, _)| name != "x-sandbox-signature").cloned().collect();
    let doubled: Vec<_> = headers.iter().chain(headers).cloned().collect();
    assert_eq!(reject(headers, altered.as_bytes(), now()), Some(Forged));
    assert_eq!(reject(&without, body, now()), Some(Forged));
    assert_eq!(reject(&doubled, body, now()), Some(Forged), "which of two headers counts is not guessed");
    assert_eq!(reject(&[], body, now()), Some(Forged));
    assert_eq!(reject(headers, body, now().plus(Duration::from_secs(310))), Some(Stale));
    assert_eq!(reject(headers, body, now().minus(Duration::from_secs(310))), Some(Stale));
    let of_others = String::from_utf8_lossy(body).replace("ord_", "evt_");
    for (strange, expected) in [("{}", Malformed), (of_others.as_str(), NotOurs)] {
        let (timestamp, signature) = secret().sign(now(), strange.as_bytes());
        let signed = [("x-sandbox-timestamp".to_owned(), timestamp), ("x-sandbox-signature".to_owned(), signature)];
        assert_eq!(reject(&signed, strange.as_bytes(), now()), Some(expected), "{strange}");
    }
}

/// The suite that every provider's gateway runs.
#[tokio::test]
async fn the_sandbox_keeps_the_promises_of_the_port() {
    use voelgoed_contracts::gateway as promises;
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    let gateway = gateway(&provider.desk.url, Duration::from_secs(5));
    promises::a_key_charges_once(&gateway, &charge(1, "ok")).await;
    promises::a_cancelled_key_is_barred(&gateway, &charge(2, "ok")).await;
    promises::a_captured_charge_is_not_cancelled(&gateway, &charge(3, "ok")).await;
    promises::a_refund_gives_back_once(&gateway, &charge(4, "ok"), [refund(1, 4, 450), refund(2, 4, 1)]).await;
    promises::nothing_is_believed_unsigned(&gateway, key(1), now());
}
