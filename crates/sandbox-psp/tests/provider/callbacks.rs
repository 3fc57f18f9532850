//! Tests delivery, retries, lifetime and address of callbacks.

use std::collections::BTreeSet;
use std::time::Duration;

use voelgoed_domain::time::Timestamp;
use voelgoed_sandbox_psp::CallbackSecret;
use voelgoed_sandbox_psp::protocol::ChargeState;

use super::support::callback_receiver::{CallbackAnswer, CallbackReceiver};
use super::support::in_process_provider::{TestProvider, config};
use super::support::plain_client::{FailedCall, PlainClient, failure};
use super::support::{TempDirectory, charge, now, secret};

#[tokio::test]
async fn callback_is_retried_until_2xx_and_not_after_it() {
    let answers = [
        CallbackAnswer::Status(500),
        CallbackAnswer::Status(404),
        CallbackAnswer::Redirect,
        CallbackAnswer::Silence,
        CallbackAnswer::Status(503),
        CallbackAnswer::Status(299),
    ];
    let (directory, receiver) = (TempDirectory::new(), CallbackReceiver::with_answers(answers).await);
    let mut config = config(&directory.data_file());
    config.callback_url = Some(receiver.url.clone());
    config.delays.callback_timeout = Duration::from_secs(1);
    let provider = TestProvider::start(config).await;
    provider.client.charge(&charge("k", "ok")).await.unwrap();
    provider.client.until_all_delivered().await;
    let received = receiver.received();
    assert_eq!(received.len(), answers.len());
    let same: BTreeSet<&[u8]> = received.iter().map(|received| received.bytes.as_slice()).collect();
    assert_eq!(same.len(), 1, "each retry has the same id and body");
    // The first callback is not retried while the second is delivered.
    provider.client.charge(&charge("l", "ok")).await.unwrap();
    provider.client.until_all_delivered().await;
    assert_eq!(receiver.for_key("k").len(), answers.len());
    assert_eq!(receiver.for_key("l").len(), 1);
}

#[tokio::test]
async fn callback_is_given_up_at_the_end_of_its_lifetime_and_the_charge_stays_captured() {
    let receiver = CallbackReceiver::with_answers([CallbackAnswer::Status(500); 1000]).await;
    let directory = TempDirectory::new();
    let mut config = config(&directory.data_file());
    config.callback_url = Some(receiver.url.clone());
    config.delays.callback_lifetime = Duration::from_secs(2);
    let provider = TestProvider::start(config.clone()).await;
    provider.client.charge(&charge("k", "ok")).await.unwrap();
    provider.client.until_all_delivered().await;
    let attempts = receiver.received().len();
    assert!(attempts >= 2, "{attempts}");
    assert_eq!(provider.client.poll("k").await.unwrap().state, ChargeState::Captured);
    provider.kill().await;
    let provider = TestProvider::start(config).await;
    assert_eq!(provider.client.health().await.callbacks_waiting, 0);
    assert_eq!(receiver.received().len(), attempts);
}

#[tokio::test]
async fn callbacks_wait_for_a_url_and_are_then_sent_at_once() {
    let directory = TempDirectory::new();
    let mut plain = config(&directory.data_file());
    plain.delays.callback_backoff_first = Duration::from_secs(3600);
    plain.delays.callback_backoff_max = Duration::from_secs(3600);
    let provider = TestProvider::start(plain).await;
    provider.client.charge(&charge("k", "ok")).await.unwrap();
    assert_eq!(provider.client.health().await.callbacks_waiting, 1);
    let receiver = CallbackReceiver::open().await;
    assert_eq!(put(&provider.client, &secret(), now(), &receiver.url).await, Ok(()));
    provider.client.until_all_delivered().await;
    assert_eq!(receiver.for_key("k").len(), 1);

    // The URL survives a restart, and a new URL replaces it.
    provider.kill().await;
    let provider = TestProvider::with_defaults(&directory.data_file()).await;
    provider.client.charge(&charge("l", "ok")).await.unwrap();
    provider.client.until_all_delivered().await;
    assert_eq!(receiver.for_key("l").len(), 1);
    let second = CallbackReceiver::open().await;
    assert_eq!(put(&provider.client, &secret(), now(), &second.url).await, Ok(()));
    provider.client.charge(&charge("m", "ok")).await.unwrap();
    provider.client.until_all_delivered().await;
    assert_eq!((receiver.for_key("m").len(), second.for_key("m").len()), (0, 1));
}

#[tokio::test]
async fn callback_url_is_set_only_with_a_valid_signature() {
    let directory = TempDirectory::new();
    let provider = TestProvider::with_defaults(&directory.data_file()).await;
    let foreign = CallbackSecret::new("somebody else's secret").unwrap();
    let (past, future) = (now().minus(Duration::from_secs(310)), now().plus(Duration::from_secs(310)));
    let url = "http://127.0.0.1:9/callback";
    let not_believed = Err(FailedCall::Refused(401, "not_believed".into()));
    assert_eq!(put(&provider.client, &foreign, now(), url).await, not_believed);
    assert_eq!(put(&provider.client, &secret(), past, url).await, not_believed);
    assert_eq!(put(&provider.client, &secret(), future, url).await, not_believed);
    for url in ["", "/callback", "https://shop.example/callback", "file:///etc/passwd"] {
        let invalid = Err(FailedCall::Refused(422, "invalid".into()));
        assert_eq!(put(&provider.client, &secret(), now(), url).await, invalid, "{url}");
    }
    assert_eq!(put(&provider.client, &secret(), now(), url).await, Ok(()));
}

async fn put(client: &PlainClient, secret: &CallbackSecret, at: Timestamp, url: &str) -> Result<(), FailedCall> {
    let body = format!(r#"{{"url":"{url}"}}"#);
    let (timestamp, signature) = secret.sign(at, body.as_bytes());
    let call = client.http.put(format!("{}/callback-url", client.url));
    let call = call.header("x-sandbox-timestamp", timestamp).header("x-sandbox-signature", signature);
    let answer = call.body(body).send().await.unwrap();
    if answer.status() == 204 { Ok(()) } else { Err(failure(answer).await) }
}
