//! Tests idempotency keys, refund limits, authorization, invalid requests and the record limit.

use std::time::Duration;

use futures::future::join_all;
use voelgoed_sandbox_psp::CallbackSecret;
use voelgoed_sandbox_psp::protocol::{ChargeRequest, ChargeState};

use super::support::in_process_provider::{TestProvider, config};
use super::support::plain_client::{FailedCall, PlainClient, failure};
use super::support::{TempDirectory, charge, now, refused, secret};

#[tokio::test]
async fn charge_sent_many_times_in_parallel_is_recorded_once() {
    let directory = TempDirectory::new();
    let provider = TestProvider::with_defaults(&directory.data_file()).await;
    let request = charge("k", "slow");
    let answers = join_all((0..50).map(|_| provider.client.charge(&request))).await;
    let first = answers[0].clone().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|charge| charge.provider_ref == first.provider_ref)));
    provider.client.until_state("k", ChargeState::Captured).await;
    assert_eq!(provider.client.health().await.records, 1);
    let different = ChargeRequest { amount: 451, ..request };
    assert_eq!(refused(provider.client.charge(&different).await), FailedCall::Refused(409, "key_mismatch".into()));
}

#[tokio::test]
async fn charge_and_cancellation_in_parallel_agree_on_one_outcome() {
    let directory = TempDirectory::new();
    let provider = TestProvider::with_defaults(&directory.data_file()).await;
    for number in 0..100 {
        let key = format!("k{number}");
        let request = charge(&key, "ok");
        let (charged, cancelled) = tokio::join!(provider.client.charge(&request), provider.client.cancel(&key));
        match (charged, cancelled.unwrap().state) {
            (Ok(charge), ChargeState::Captured) => assert_eq!(charge.state, ChargeState::Captured),
            (Err(FailedCall::Refused(410, code)), ChargeState::Voided) => assert_eq!(code, "key_cancelled"),
            both => panic!("{both:?}"),
        }
    }
}

#[tokio::test]
async fn charge_after_its_send_before_is_refused_and_not_recorded() {
    let directory = TempDirectory::new();
    let provider = TestProvider::with_defaults(&directory.data_file()).await;
    let late = ChargeRequest { send_before: now().minus(Duration::from_millis(1)), ..charge("k", "ok") };
    assert_eq!(refused(provider.client.charge(&late).await), FailedCall::Refused(409, "too_late".into()));
    assert_eq!(refused(provider.client.poll("k").await), FailedCall::Refused(404, "unknown_charge".into()));
    assert_eq!(provider.client.charge(&charge("k", "ok")).await.unwrap().state, ChargeState::Captured);
}

#[tokio::test]
async fn parallel_refunds_never_exceed_the_captured_amount() {
    let directory = TempDirectory::new();
    let provider = TestProvider::with_defaults(&directory.data_file()).await;
    provider.client.charge(&charge("k", "ok")).await.unwrap();
    let keys: Vec<String> = (0..20).map(|number| format!("r{number}")).collect();
    let refunds = join_all(keys.iter().map(|key| provider.client.refund(key, "k", 100))).await;
    assert_eq!(refunds.iter().filter(|refund| refund.is_ok()).count(), 4);
    assert!(refunds.iter().filter_map(|refund| refund.as_ref().err()).all(|error| error.code() == "refund_too_large"));
    assert_eq!(provider.client.poll("k").await.unwrap().refunded, 400);
    let done = keys.iter().zip(&refunds).find(|(_, refund)| refund.is_ok()).unwrap();
    assert_eq!(&provider.client.poll_refund(done.0).await, done.1);
    assert_eq!(&provider.client.refund(done.0, "k", 100).await, done.1, "a replay returns the same refund");
    assert_eq!(refused(provider.client.refund(done.0, "k", 50).await), FailedCall::Refused(409, "key_mismatch".into()));
    assert_eq!(
        refused(provider.client.refund("r", "nobody", 50).await),
        FailedCall::Refused(404, "unknown_charge".into())
    );
    assert_eq!(refused(provider.client.poll_refund("r").await), FailedCall::Refused(404, "unknown_refund".into()));
}

#[tokio::test]
async fn invalid_request_gets_a_code_and_is_not_recorded() {
    let directory = TempDirectory::new();
    let provider = TestProvider::with_defaults(&directory.data_file()).await;
    let long = format!(r#"{{"key":"{}"}}"#, "k".repeat(20_000));
    let rows = [
        ("application/json", "", "invalid"),
        ("application/json", "[]", "invalid"),
        ("application/json", r#"{"key":"k"}"#, "invalid"),
        ("application/json", &long, "invalid"),
        // A foreign web page can send this content type without a preflight request.
        ("text/plain", r#"{"key":"k"}"#, "invalid"),
    ];
    for (content_type, body, code) in rows {
        let call =
            provider.client.http.post(format!("{}/charges", provider.client.url)).header("content-type", content_type);
        let call = call.header("authorization", &provider.client.authorization);
        let answer = call.body(body.to_owned()).send().await.unwrap();
        assert_eq!(failure(answer).await, FailedCall::Refused(422, code.into()), "{content_type} {body:.40}");
    }
    assert_eq!(provider.client.health().await.records, 0);
}

#[tokio::test]
async fn caller_without_the_secret_is_refused_before_a_record_is_written() {
    let directory = TempDirectory::new();
    let provider = TestProvider::with_defaults(&directory.data_file()).await;
    provider.client.charge(&charge("k", "slow")).await.unwrap();
    let foreign = CallbackSecret::new("somebody else's secret").unwrap().call_authorization();
    for authorization in [String::new(), "Bearer".to_owned(), foreign, secret().call_authorization().to_uppercase()] {
        let stranger = PlainClient { authorization, ..provider.client.clone() };
        let not_believed = FailedCall::Refused(401, "not_believed".into());
        assert_eq!(refused(stranger.charge(&charge("l", "ok")).await), not_believed);
        assert_eq!(refused(stranger.cancel("k").await), not_believed);
        assert_eq!(refused(stranger.refund("r", "k", 1).await), not_believed);
        assert_eq!(refused(stranger.poll("k").await), not_believed);
        assert_eq!(refused(stranger.poll_refund("r").await), not_believed);
    }
    assert_eq!(provider.client.health().await.records, 1, "nothing was recorded");
}

#[tokio::test]
async fn full_provider_refuses_new_keys_and_still_answers_known_ones() {
    let directory = TempDirectory::new();
    let mut config = config(&directory.data_file());
    config.records_max = 2;
    let provider = TestProvider::start(config).await;
    provider.client.charge(&charge("k", "ok")).await.unwrap();
    provider.client.refund("r", "k", 1).await.unwrap();
    let full = FailedCall::Refused(507, "full".into());
    assert_eq!(refused(provider.client.charge(&charge("l", "ok")).await), full);
    assert_eq!(refused(provider.client.refund("s", "k", 1).await), full);
    assert_eq!(refused(provider.client.cancel("l").await), full);
    assert_eq!(provider.client.charge(&charge("k", "ok")).await.unwrap().refunded, 1);
}
