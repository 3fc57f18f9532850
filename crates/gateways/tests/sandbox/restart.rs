//! The provider ended at once and started again on the same file.

use std::io::Write;
use std::time::Duration;

use voelgoed_gateways::sandbox::protocol::ChargeState;
use voelgoed_gateways::sandbox::{Sandbox, SandboxError, reuse_or_describe};

use super::support::provider::{No, Provider, config};
use super::support::shop::Shop;
use super::support::{Directory, charge, refused};

#[tokio::test]
async fn whatever_was_answered_is_there_and_whatever_was_pending_goes_on() {
    let (directory, shop) = (Directory::new(), Shop::open().await);
    let data_file = directory.data_file();
    let mut slowly = config(&data_file);
    slowly.delays.slow = Duration::from_secs(3);
    let provider = Provider::start(slowly.clone()).await;
    let mut answers = Vec::new();
    for method in ["ok", "declined", "slow", "late", "lost"] {
        answers.push((charge(method, method), provider.desk.charge(&charge(method, method)).await.unwrap()));
    }
    provider.desk.charge(&charge("voided", "slow")).await.unwrap();
    assert_eq!(provider.desk.cancel("voided").await.unwrap().state, ChargeState::Voided);
    assert_eq!(provider.desk.cancel("barred").await.unwrap().state, ChargeState::Voided);
    let refund = provider.desk.refund("r", "ok", 450).await.unwrap();
    let url = provider.desk.url.clone();
    provider.kill().await;

    let mut told = slowly;
    told.callback_url = Some(shop.url.clone());
    let provider = Provider::start(told).await;
    assert_eq!(provider.desk.url, url, "the port is taken again, so that the shop still finds it");
    for (request, before) in answers {
        let after = provider.desk.charge(&request).await.unwrap();
        assert_eq!((&after.provider_ref, after.created_at), (&before.provider_ref, before.created_at));
        let end = if request.method == "declined" { ChargeState::Declined } else { ChargeState::Captured };
        provider.desk.until_state(&request.key, end).await;
    }
    provider.desk.until_all_delivered().await;
    for (key, callbacks) in [("ok", 1), ("declined", 1), ("slow", 1), ("late", 1), ("lost", 0), ("voided", 0)] {
        assert_eq!(shop.about(key).len(), callbacks, "{key}");
    }
    assert_eq!(provider.desk.poll("voided").await.unwrap().state, ChargeState::Voided);
    assert_eq!(refused(provider.desk.charge(&charge("barred", "ok")).await), No::Problem(410, "key_cancelled".into()));
    assert_eq!(provider.desk.refund("r", "ok", 450).await.unwrap(), refund);
    assert_eq!(refused(provider.desk.refund("s", "ok", 1).await), No::Problem(409, "refund_too_large".into()));
}

#[tokio::test]
async fn a_start_keeps_one_line_per_thing_and_drops_a_torn_last_one() {
    let directory = Directory::new();
    let data_file = directory.data_file();
    let provider = Provider::plain(&data_file).await;
    for number in 0..10 {
        provider.desk.charge(&charge(&format!("k{number}"), "slow")).await.unwrap();
        provider.desk.until_state(&format!("k{number}"), ChargeState::Captured).await;
    }
    assert_eq!(Directory::read(&data_file).len(), 20);
    provider.kill().await;
    let mut file = std::fs::OpenOptions::new().append(true).open(&data_file).unwrap();
    file.write_all(br#"{"v":1,"barred":{"key":"torn","at":"2026-11-22T18:00:00Z"}}"#).unwrap();

    let provider = Provider::plain(&data_file).await;
    assert_eq!(Directory::read(&data_file).len(), 10);
    assert_eq!(provider.desk.poll("k9").await.unwrap().state, ChargeState::Captured);
    provider.desk.charge(&charge("torn", "ok")).await.unwrap();
    provider.kill().await;
    let provider = Provider::plain(&data_file).await;
    assert_eq!(
        provider.desk.poll("torn").await.unwrap().state,
        ChargeState::Captured,
        "what follows a torn line is whole"
    );
}

#[tokio::test]
async fn a_whole_line_that_cannot_be_read_stops_the_start_and_changes_nothing() {
    let rows = [
        ("not json\n", "charges.jsonl:2:"),
        (r#"{"v":2,"barred":{"key":"k","at":"2026-11-22T18:00:00Z"}}"#, "version 2"),
        (r#"{"v":1,"gift":{"key":"k"}}"#, "charges.jsonl:2:"),
        ("\0\0\0\0\n", "charges.jsonl:2:"),
    ];
    for (line, expected) in rows {
        let directory = Directory::new();
        let data_file = directory.data_file();
        std::fs::create_dir_all(data_file.parent().unwrap()).unwrap();
        let good = r#"{"v":1,"barred":{"key":"k","at":"2026-11-22T18:00:00Z"}}"#;
        let content = format!("{good}\n{}\n{good}\n", line.trim_end());
        std::fs::write(&data_file, &content).unwrap();
        let error = Sandbox::open(config(&data_file)).await.err().unwrap().to_string();
        assert!(error.contains(expected) && error.contains(":2:"), "{error}");
        assert_eq!(std::fs::read_to_string(&data_file).unwrap(), content);
    }
}

#[tokio::test]
async fn two_never_run_on_one_file_and_the_second_finds_the_first() {
    let directory = Directory::new();
    let data_file = directory.data_file();
    assert_eq!(reuse_or_describe(&data_file).await.unwrap(), None);
    let provider = Provider::plain(&data_file).await;
    let found = reuse_or_describe(&data_file).await.unwrap().unwrap();
    assert_eq!((found.url, found.pid), (provider.desk.url.clone(), std::process::id()));
    let second = Sandbox::open(config(&data_file)).await.err().unwrap();
    assert!(matches!(second, SandboxError::AlreadyRunning(path) if path == data_file));
    provider.desk.charge(&charge("k", "ok")).await.unwrap();
    provider.kill().await;
    assert_eq!(reuse_or_describe(&data_file).await.unwrap(), None, "the file of a dead one says nothing");
    let provider = Provider::plain(&data_file).await;
    assert_eq!(provider.desk.poll("k").await.unwrap().state, ChargeState::Captured);
}
