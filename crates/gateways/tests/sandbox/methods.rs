//! Each method over HTTP, from the call to its end.

use std::io;
use std::time::Duration;

use voelgoed_gateways::sandbox::protocol::{ChargeState, METHODS};

use super::support::provider::{No, Provider, config};
use super::support::shop::Shop;
use super::support::{Directory, charge};

#[tokio::test]
async fn each_method_answers_captures_and_calls_back_as_it_says() {
    use ChargeState::{Captured, Declined, Pending};
    let (directory, shop) = (Directory::new(), Shop::open().await);
    let mut config = config(&directory.data_file());
    config.callback_url = Some(shop.url.clone());
    let provider = Provider::start(config).await;
    // Method; what the call answers (nothing: silence); the end; how many callbacks.
    let rows = [
        ("ok", Some(Captured), Captured, 1),
        ("declined", Some(Declined), Declined, 1),
        ("slow", Some(Pending), Captured, 1),
        ("timeout", None, Captured, 1),
        ("late", Some(Pending), Captured, 1),
        ("twice", Some(Pending), Captured, 2),
        ("lost", Some(Pending), Captured, 0),
    ];
    for (method, answer, end, callbacks) in rows {
        let desk = provider.desk.within(Duration::from_millis(if answer.is_some() { 10_000 } else { 300 }));
        let answered = desk.charge(&charge(method, method)).await;
        match answer {
            Some(state) => assert_eq!(answered.unwrap().state, state, "{method}"),
            None => assert_eq!(answered, Err(No::Silence), "{method}"),
        }
        let settled = provider.desk.until_state(method, end).await;
        assert_eq!((settled.amount, settled.currency.as_str()), (450, "ZAR"), "{method}");
        provider.desk.until_all_delivered().await;
        let received = shop.about(method);
        assert_eq!(received.len(), callbacks, "{method}");
        let ids: std::collections::BTreeSet<_> = received.iter().map(|received| &received.body.id).collect();
        assert_eq!(ids.len(), callbacks, "{method}: each callback has its own id");
        for received in &received {
            let body = &received.body;
            assert_eq!((body.state, body.amount, body.currency.as_str()), (end, 450, "ZAR"), "{method}");
            assert_eq!(body.provider_ref, settled.provider_ref, "{method}");
            assert_eq!(Some(body.at), settled.settled_at, "{method}");
        }
    }
}

#[tokio::test]
async fn late_captures_only_after_pay_by_and_ignores_cancellations() {
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    let request = charge("k", "late");
    assert_eq!(provider.desk.charge(&request).await.unwrap().state, ChargeState::Pending);
    assert_eq!(provider.desk.cancel("k").await.unwrap().state, ChargeState::Pending);
    let captured = provider.desk.until_state("k", ChargeState::Captured).await;
    assert!(captured.settled_at > request.pay_by, "{captured:?}");
    assert_eq!(provider.desk.cancel("k").await.unwrap().state, ChargeState::Captured);
}

#[tokio::test]
async fn down_is_a_true_refusal_of_the_connection() {
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    let list = provider.desk.methods().await;
    let names: Vec<&str> = list.methods.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, METHODS);
    for entry in &list.methods {
        let address = entry.url.strip_prefix("http://").unwrap();
        let connected = tokio::net::TcpStream::connect(address).await;
        if entry.name == "down" {
            assert_eq!(connected.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        } else {
            assert_eq!(entry.url, provider.desk.url, "{}", entry.name);
            connected.unwrap();
        }
    }
    let refused = provider.desk.charge(&charge("k", "down")).await;
    assert_eq!(refused, Err(No::Problem(421, "not_here".into())), "nor is it taken at the port that answers");
    assert_eq!(provider.desk.cancel("k").await.unwrap().state, ChargeState::Voided);
}
