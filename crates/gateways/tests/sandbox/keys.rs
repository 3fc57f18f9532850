//! Keys that come again, refunds that are too large, requests that are none.

use std::time::Duration;

use futures::future::join_all;
use voelgoed_gateways::sandbox::CallbackSecret;
use voelgoed_gateways::sandbox::protocol::{ChargeRequest, ChargeState};

use super::support::provider::{Desk, No, Provider, config, problem};
use super::support::{Directory, charge, now, refused, secret};

#[tokio::test]
async fn a_charge_sent_many_times_at_once_is_one() {
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    let request = charge("k", "slow");
    let answers = join_all((0..50).map(|_| provider.desk.charge(&request))).await;
    let first = answers[0].clone().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|charge| charge.provider_ref == first.provider_ref)));
    provider.desk.until_state("k", ChargeState::Captured).await;
    assert_eq!(provider.desk.health().await["records"], 1);
    let other = ChargeRequest { amount: 451, ..request };
    assert_eq!(refused(provider.desk.charge(&other).await), No::Problem(409, "key_mismatch".into()));
}

#[tokio::test]
async fn of_a_charge_and_a_cancellation_at_once_exactly_one_wins() {
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    for number in 0..100 {
        let key = format!("k{number}");
        let request = charge(&key, "ok");
        let (charged, cancelled) = tokio::join!(provider.desk.charge(&request), provider.desk.cancel(&key));
        match (charged, cancelled.unwrap().state) {
            (Ok(charge), ChargeState::Captured) => assert_eq!(charge.state, ChargeState::Captured),
            (Err(No::Problem(410, code)), ChargeState::Voided) => assert_eq!(code, "key_cancelled"),
            both => panic!("{both:?}"),
        }
    }
}

#[tokio::test]
async fn a_charge_after_its_send_before_is_refused_and_leaves_no_trace() {
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    let late = ChargeRequest { send_before: now().minus(Duration::from_millis(1)), ..charge("k", "ok") };
    assert_eq!(refused(provider.desk.charge(&late).await), No::Problem(409, "too_late".into()));
    assert_eq!(refused(provider.desk.poll("k").await), No::Problem(404, "unknown_charge".into()));
    assert_eq!(provider.desk.charge(&charge("k", "ok")).await.unwrap().state, ChargeState::Captured);
}

#[tokio::test]
async fn refunds_in_parallel_never_exceed_what_was_captured() {
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    provider.desk.charge(&charge("k", "ok")).await.unwrap();
    let keys: Vec<String> = (0..20).map(|number| format!("r{number}")).collect();
    let refunds = join_all(keys.iter().map(|key| provider.desk.refund(key, "k", 100))).await;
    assert_eq!(refunds.iter().filter(|refund| refund.is_ok()).count(), 4);
    assert!(refunds.iter().filter_map(|refund| refund.as_ref().err()).all(|no| no.code() == "refund_too_large"));
    assert_eq!(provider.desk.poll("k").await.unwrap().refunded, 400);
    let done = keys.iter().zip(&refunds).find(|(_, refund)| refund.is_ok()).unwrap();
    assert_eq!(&provider.desk.poll_refund(done.0).await, done.1);
    assert_eq!(&provider.desk.refund(done.0, "k", 100).await, done.1, "the same again is the same");
    assert_eq!(refused(provider.desk.refund(done.0, "k", 50).await), No::Problem(409, "key_mismatch".into()));
    assert_eq!(refused(provider.desk.refund("r", "nobody", 50).await), No::Problem(404, "unknown_charge".into()));
    assert_eq!(refused(provider.desk.poll_refund("r").await), No::Problem(404, "unknown_refund".into()));
}

#[tokio::test]
async fn what_is_no_request_gets_a_code_and_no_record() {
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    let long = format!(r#"{{"key":"{}"}}"#, "k".repeat(20_000));
    let rows = [
        ("application/json", "", "invalid"),
        ("application/json", "[]", "invalid"),
        ("application/json", r#"{"key":"k"}"#, "invalid"),
        ("application/json", &long, "invalid"),
        // What a foreign page may send without being asked.
        ("text/plain", r#"{"key":"k"}"#, "invalid"),
    ];
    for (content_type, body, code) in rows {
        let call =
            provider.desk.http.post(format!("{}/charges", provider.desk.url)).header("content-type", content_type);
        let call = call.header("authorization", &provider.desk.authorization);
        let answer = call.body(body.to_owned()).send().await.unwrap();
        assert_eq!(problem(answer).await, No::Problem(422, code.into()), "{content_type} {body:.40}");
    }
    assert_eq!(provider.desk.health().await["records"], 0);
}

#[tokio::test]
async fn a_caller_without_the_secret_moves_no_money() {
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    provider.desk.charge(&charge("k", "slow")).await.unwrap();
    let foreign = CallbackSecret::new("somebody else's secret").unwrap().call_authorization();
    for authorization in [String::new(), "Bearer".to_owned(), foreign, secret().call_authorization().to_uppercase()] {
        let stranger = Desk { authorization, ..provider.desk.clone() };
        let not_believed = No::Problem(401, "not_believed".into());
        assert_eq!(refused(stranger.charge(&charge("l", "ok")).await), not_believed);
        assert_eq!(refused(stranger.cancel("k").await), not_believed);
        assert_eq!(refused(stranger.refund("r", "k", 1).await), not_believed);
        assert_eq!(refused(stranger.poll("k").await), not_believed);
        assert_eq!(refused(stranger.poll_refund("r").await), not_believed);
    }
    assert_eq!(provider.desk.health().await["records"], 1, "nothing was recorded");
}

#[tokio::test]
async fn a_full_provider_takes_nothing_new_and_answers_for_what_it_has() {
    let directory = Directory::new();
    let mut config = config(&directory.data_file());
    config.most_records = 2;
    let provider = Provider::start(config).await;
    provider.desk.charge(&charge("k", "ok")).await.unwrap();
    provider.desk.refund("r", "k", 1).await.unwrap();
    let full = No::Problem(507, "full".into());
    assert_eq!(refused(provider.desk.charge(&charge("l", "ok")).await), full);
    assert_eq!(refused(provider.desk.refund("s", "k", 1).await), full);
    assert_eq!(refused(provider.desk.cancel("l").await), full);
    assert_eq!(provider.desk.charge(&charge("k", "ok")).await.unwrap().refunded, 1);
}
