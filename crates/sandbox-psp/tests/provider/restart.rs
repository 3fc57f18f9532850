//! Tests restarts after a kill: recovered state, compaction, torn lines, unreadable lines and the lock.

use std::io::Write;
use std::time::Duration;

use voelgoed_sandbox_psp::protocol::ChargeState;
use voelgoed_sandbox_psp::{SandboxError, SandboxProvider, find_running_provider};

use super::support::callback_receiver::CallbackReceiver;
use super::support::in_process_provider::{TestProvider, config};
use super::support::plain_client::FailedCall;
use super::support::{TempDirectory, charge, lines_of, refused};

#[tokio::test]
async fn restart_keeps_answered_charges_and_resumes_pending_ones() {
    let (directory, receiver) = (TempDirectory::new(), CallbackReceiver::open().await);
    let data_file = directory.data_file();
    let mut config = config(&data_file);
    config.delays.slow = Duration::from_secs(3);
    let provider = TestProvider::start(config.clone()).await;
    let mut answers = Vec::new();
    for method in ["ok", "declined", "slow", "late", "lost"] {
        answers.push((charge(method, method), provider.client.charge(&charge(method, method)).await.unwrap()));
    }
    provider.client.charge(&charge("voided", "slow")).await.unwrap();
    assert_eq!(provider.client.cancel("voided").await.unwrap().state, ChargeState::Voided);
    assert_eq!(provider.client.cancel("barred").await.unwrap().state, ChargeState::Voided);
    let refund = provider.client.refund("r", "ok", 450).await.unwrap();
    let url = provider.client.url.clone();
    provider.kill().await;

    config.callback_url = Some(receiver.url.clone());
    let provider = TestProvider::start(config).await;
    assert_eq!(provider.client.url, url, "a restart takes the same port, so that the shop still finds it");
    for (request, before) in answers {
        let after = provider.client.charge(&request).await.unwrap();
        assert_eq!((&after.provider_ref, after.created_at), (&before.provider_ref, before.created_at));
        let end = if request.method == "declined" { ChargeState::Declined } else { ChargeState::Captured };
        provider.client.until_state(&request.key, end).await;
    }
    provider.client.until_all_delivered().await;
    for (key, callbacks) in [("ok", 1), ("declined", 1), ("slow", 1), ("late", 1), ("lost", 0), ("voided", 0)] {
        assert_eq!(receiver.for_key(key).len(), callbacks, "{key}");
    }
    assert_eq!(provider.client.poll("voided").await.unwrap().state, ChargeState::Voided);
    assert_eq!(
        refused(provider.client.charge(&charge("barred", "ok")).await),
        FailedCall::Refused(410, "key_cancelled".into())
    );
    assert_eq!(provider.client.refund("r", "ok", 450).await.unwrap(), refund);
    assert_eq!(
        refused(provider.client.refund("s", "ok", 1).await),
        FailedCall::Refused(409, "refund_too_large".into())
    );
}

#[tokio::test]
async fn restart_compacts_to_one_line_per_key_and_drops_a_torn_last_line() {
    let directory = TempDirectory::new();
    let data_file = directory.data_file();
    let provider = TestProvider::with_defaults(&data_file).await;
    for number in 0..10 {
        provider.client.charge(&charge(&format!("k{number}"), "slow")).await.unwrap();
        provider.client.until_state(&format!("k{number}"), ChargeState::Captured).await;
    }
    assert_eq!(lines_of(&data_file).len(), 20);
    provider.kill().await;
    let mut file = std::fs::OpenOptions::new().append(true).open(&data_file).unwrap();
    file.write_all(br#"{"v":1,"barred":{"key":"torn","at":"2026-11-22T18:00:00Z"}}"#).unwrap();

    let provider = TestProvider::with_defaults(&data_file).await;
    assert_eq!(lines_of(&data_file).len(), 10);
    assert_eq!(provider.client.poll("k9").await.unwrap().state, ChargeState::Captured);
    provider.client.charge(&charge("torn", "ok")).await.unwrap();
    provider.kill().await;
    let provider = TestProvider::with_defaults(&data_file).await;
    assert_eq!(
        provider.client.poll("torn").await.unwrap().state,
        ChargeState::Captured,
        "the line after a torn one is whole"
    );
}

#[tokio::test]
async fn unreadable_whole_line_stops_the_start_and_keeps_the_file() {
    let rows = [
        ("not json\n", "charges.jsonl:2:"),
        (r#"{"v":2,"barred":{"key":"k","at":"2026-11-22T18:00:00Z"}}"#, "version 2"),
        (r#"{"v":1,"gift":{"key":"k"}}"#, "charges.jsonl:2:"),
        ("\0\0\0\0\n", "charges.jsonl:2:"),
    ];
    for (line, expected) in rows {
        let directory = TempDirectory::new();
        let data_file = directory.data_file();
        std::fs::create_dir_all(data_file.parent().unwrap()).unwrap();
        let good = r#"{"v":1,"barred":{"key":"k","at":"2026-11-22T18:00:00Z"}}"#;
        let content = format!("{good}\n{}\n{good}\n", line.trim_end());
        std::fs::write(&data_file, &content).unwrap();
        let error = SandboxProvider::open(config(&data_file)).await.err().unwrap().to_string();
        assert!(error.contains(expected) && error.contains(":2:"), "{error}");
        assert_eq!(std::fs::read_to_string(&data_file).unwrap(), content);
    }
}

#[tokio::test]
async fn second_provider_on_a_data_file_is_refused_and_finds_the_first() {
    let directory = TempDirectory::new();
    let data_file = directory.data_file();
    assert_eq!(find_running_provider(&data_file).await.unwrap(), None);
    let provider = TestProvider::with_defaults(&data_file).await;
    let found = find_running_provider(&data_file).await.unwrap().unwrap();
    assert_eq!((found.url, found.pid), (provider.client.url.clone(), std::process::id()));
    let second = SandboxProvider::open(config(&data_file)).await.err().unwrap();
    assert!(matches!(second, SandboxError::AlreadyRunning(path) if path == data_file));
    provider.client.charge(&charge("k", "ok")).await.unwrap();
    provider.kill().await;
    assert_eq!(find_running_provider(&data_file).await.unwrap(), None, "the lock file of a dead provider is ignored");
    let provider = TestProvider::with_defaults(&data_file).await;
    assert_eq!(provider.client.poll("k").await.unwrap().state, ChargeState::Captured);
}
