//! Callbacks to shops that do not listen.

use std::collections::BTreeSet;
use std::time::Duration;

use voelgoed_domain::time::Timestamp;
use voelgoed_gateways::sandbox::CallbackSecret;
use voelgoed_gateways::sandbox::protocol::ChargeState;

use super::support::provider::{Desk, No, Provider, config, problem};
use super::support::shop::{Manner, Shop};
use super::support::{Directory, charge, now, secret};

#[tokio::test]
async fn a_callback_is_repeated_until_2xx_and_then_no_more() {
    let manners = [
        Manner::Status(500),
        Manner::Status(404),
        Manner::Redirect,
        Manner::Silence,
        Manner::Status(503),
        Manner::Status(299),
    ];
    let (directory, shop) = (Directory::new(), Shop::with_manners(manners).await);
    let mut config = config(&directory.data_file());
    config.callback_url = Some(shop.url.clone());
    config.delays.callback_deadline = Duration::from_secs(1);
    let provider = Provider::start(config).await;
    provider.desk.charge(&charge("k", "ok")).await.unwrap();
    provider.desk.until_all_delivered().await;
    let received = shop.received();
    assert_eq!(received.len(), manners.len());
    let same: BTreeSet<&[u8]> = received.iter().map(|received| received.bytes.as_slice()).collect();
    assert_eq!(same.len(), 1, "each repetition says the same under the same id");
    // The next one is alone: nothing of the first is repeated any more.
    provider.desk.charge(&charge("l", "ok")).await.unwrap();
    provider.desk.until_all_delivered().await;
    assert_eq!(shop.about("k").len(), manners.len());
    assert_eq!(shop.about("l").len(), 1);
}

#[tokio::test]
async fn a_callback_is_given_up_at_the_end_of_its_life_and_the_charge_stands() {
    let shop = Shop::with_manners([Manner::Status(500); 1000]).await;
    let directory = Directory::new();
    let mut config = config(&directory.data_file());
    config.callback_url = Some(shop.url.clone());
    config.delays.callback_life = Duration::from_secs(2);
    let provider = Provider::start(config.clone()).await;
    provider.desk.charge(&charge("k", "ok")).await.unwrap();
    provider.desk.until_all_delivered().await;
    let tries = shop.received().len();
    assert!(tries >= 2, "{tries}");
    assert_eq!(provider.desk.poll("k").await.unwrap().state, ChargeState::Captured);
    provider.kill().await;
    let provider = Provider::start(config).await;
    assert_eq!(provider.desk.health().await["callbacks_waiting"], 0);
    assert_eq!(shop.received().len(), tries);
}

#[tokio::test]
async fn callbacks_wait_for_an_address_and_then_go_at_once() {
    let directory = Directory::new();
    let mut plain = config(&directory.data_file());
    plain.delays.callback_first_pause = Duration::from_secs(3600);
    plain.delays.callback_longest_pause = Duration::from_secs(3600);
    let provider = Provider::start(plain).await;
    provider.desk.charge(&charge("k", "ok")).await.unwrap();
    assert_eq!(provider.desk.health().await["callbacks_waiting"], 1);
    let shop = Shop::open().await;
    assert_eq!(put(&provider.desk, &secret(), now(), &shop.url).await, Ok(()));
    provider.desk.until_all_delivered().await;
    assert_eq!(shop.about("k").len(), 1);

    // The address is remembered, and another one takes its place.
    provider.kill().await;
    let provider = Provider::plain(&directory.data_file()).await;
    provider.desk.charge(&charge("l", "ok")).await.unwrap();
    provider.desk.until_all_delivered().await;
    assert_eq!(shop.about("l").len(), 1);
    let second = Shop::open().await;
    assert_eq!(put(&provider.desk, &secret(), now(), &second.url).await, Ok(()));
    provider.desk.charge(&charge("m", "ok")).await.unwrap();
    provider.desk.until_all_delivered().await;
    assert_eq!((shop.about("m").len(), second.about("m").len()), (0, 1));
}

#[tokio::test]
async fn only_the_holder_of_the_secret_says_where_callbacks_go() {
    let directory = Directory::new();
    let provider = Provider::plain(&directory.data_file()).await;
    let foreign = CallbackSecret::new("somebody else's secret").unwrap();
    let (past, future) = (now().minus(Duration::from_secs(310)), now().plus(Duration::from_secs(310)));
    let url = "http://127.0.0.1:9/callback";
    let not_believed = Err(No::Problem(401, "not_believed".into()));
    assert_eq!(put(&provider.desk, &foreign, now(), url).await, not_believed);
    assert_eq!(put(&provider.desk, &secret(), past, url).await, not_believed);
    assert_eq!(put(&provider.desk, &secret(), future, url).await, not_believed);
    for url in ["", "/callback", "https://shop.example/callback", "file:///etc/passwd"] {
        let invalid = Err(No::Problem(422, "invalid".into()));
        assert_eq!(put(&provider.desk, &secret(), now(), url).await, invalid, "{url}");
    }
    assert_eq!(put(&provider.desk, &secret(), now(), url).await, Ok(()));
}

async fn put(desk: &Desk, secret: &CallbackSecret, at: Timestamp, url: &str) -> Result<(), No> {
    let body = format!(r#"{{"url":"{url}"}}"#);
    let (timestamp, signature) = secret.sign(at, body.as_bytes());
    let call = desk.http.put(format!("{}/callback-url", desk.url));
    let call = call.header("x-sandbox-timestamp", timestamp).header("x-sandbox-signature", signature);
    let answer = call.body(body).send().await.unwrap();
    if answer.status() == 204 { Ok(()) } else { Err(problem(answer).await) }
}
