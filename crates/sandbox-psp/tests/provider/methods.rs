//! Tests each payment method over HTTP, from the charge to its last callback.

use std::io;
use std::time::Duration;

use voelgoed_sandbox_psp::protocol::{ChargeState, METHODS};

use super::support::callback_receiver::CallbackReceiver;
use super::support::in_process_provider::{TestProvider, config};
use super::support::plain_client::FailedCall;
use super::support::{TempDirectory, charge};

#[tokio::test]
async fn each_method_replies_captures_and_calls_back_as_its_row_says() {
    use ChargeState::{Captured, Declined, Pending};
    let (directory, receiver) = (TempDirectory::new(), CallbackReceiver::open().await);
    let mut config = config(&directory.data_file());
    config.callback_url = Some(receiver.url.clone());
    let provider = TestProvider::start(config).await;
    // Method; state in the reply (none: no reply); final state; number of callbacks.
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
        let client = provider.client.with_timeout(Duration::from_millis(if answer.is_some() { 10_000 } else { 300 }));
        let answered = client.charge(&charge(method, method)).await;
        match answer {
            Some(state) => assert_eq!(answered.unwrap().state, state, "{method}"),
            None => assert_eq!(answered, Err(FailedCall::NoReply), "{method}"),
        }
        let settled = provider.client.until_state(method, end).await;
        assert_eq!((settled.amount, settled.currency.as_str()), (450, "ZAR"), "{method}");
        provider.client.until_all_delivered().await;
        let received = receiver.for_key(method);
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
    let directory = TempDirectory::new();
    let provider = TestProvider::with_defaults(&directory.data_file()).await;
    let request = charge("k", "late");
    assert_eq!(provider.client.charge(&request).await.unwrap().state, ChargeState::Pending);
    assert_eq!(provider.client.cancel("k").await.unwrap().state, ChargeState::Pending);
    let captured = provider.client.until_state("k", ChargeState::Captured).await;
    assert!(captured.settled_at > request.pay_by, "{captured:?}");
    assert_eq!(provider.client.cancel("k").await.unwrap().state, ChargeState::Captured);
}

#[tokio::test]
async fn down_method_refuses_the_connection() {
    let directory = TempDirectory::new();
    let provider = TestProvider::with_defaults(&directory.data_file()).await;
    let list = provider.client.methods().await;
    let names: Vec<&str> = list.methods.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, METHODS);
    for entry in &list.methods {
        let address = entry.url.strip_prefix("http://").unwrap();
        let connected = tokio::net::TcpStream::connect(address).await;
        if entry.name == "down" {
            assert_eq!(connected.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        } else {
            assert_eq!(entry.url, provider.client.url, "{}", entry.name);
            connected.unwrap();
        }
    }
    let refused = provider.client.charge(&charge("k", "down")).await;
    assert_eq!(refused, Err(FailedCall::Refused(421, "not_here".into())), "the open port does not take it either");
    assert_eq!(provider.client.cancel("k").await.unwrap().state, ChargeState::Voided);
}
