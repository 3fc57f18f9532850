//! Tests the provider as a real process: its first line, the end of its parent, and `kill -9` under load.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;
use voelgoed_sandbox_psp::find_running_provider;
use voelgoed_sandbox_psp::protocol::{ChargeState, ProviderEndpoint};

use super::support::callback_receiver::CallbackReceiver;
use super::support::plain_client::PlainClient;
use super::support::{TempDirectory, WAIT_MAX, charge, until};

/// A provider process that has printed its endpoint; killed when dropped.
struct ProviderProcess {
    child: Child,
    stdin: Option<ChildStdin>,
    endpoint: ProviderEndpoint,
    client: PlainClient,
}

fn command(data_file: &Path, callback_url: &str, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox-psp-under-test"));
    command.arg(data_file).args([callback_url, "0.02"]).args(more).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

impl ProviderProcess {
    async fn start(data_file: &Path, callback_url: &str, more: &[&str]) -> Self {
        let mut child = command(data_file, callback_url, more).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(WAIT_MAX, lines.next_line()).await.unwrap().unwrap().unwrap();
        let endpoint: ProviderEndpoint = serde_json::from_str(&line).unwrap();
        assert_eq!(Some(endpoint.pid), child.id());
        Self { stdin: child.stdin.take(), client: PlainClient::new(&endpoint.url), endpoint, child }
    }

    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    async fn ended(&mut self) -> ExitStatus {
        timeout(WAIT_MAX, self.child.wait()).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn provider_ends_with_its_parent_only_where_configured() {
    let directory = TempDirectory::new();
    let data_file = directory.data_file();
    let mut child = ProviderProcess::start(&data_file, "-", &["--exit-with-parent"]).await;
    let parent_dies = async {
        drop(child.stdin.take());
        child.ended().await
    };
    // The lookup starts first, while the child still runs.
    let (found, ended) = tokio::join!(biased; find_running_provider(&data_file), parent_dies);
    assert!(ended.success());
    assert_eq!(found.unwrap(), None, "a provider that ends with its parent is not reused");

    let mut child = ProviderProcess::start(&data_file, "-", &[]).await;
    drop(child.stdin.take());
    assert_eq!(child.client.charge(&charge("k", "ok")).await.unwrap().state, ChargeState::Captured);
    assert_eq!(find_running_provider(&data_file).await.unwrap().as_ref(), Some(&child.endpoint));
    let second = timeout(WAIT_MAX, command(&data_file, "-", &[]).output()).await.unwrap().unwrap();
    assert!(!second.status.success());
    assert_eq!(second.stdout, b"", "the second process prints no endpoint");
    assert!(String::from_utf8_lossy(&second.stderr).contains("AlreadyRunning"), "{second:?}");
    assert_eq!(child.client.poll("k").await.unwrap().state, ChargeState::Captured, "the first process keeps running");
}

/// The last state that clients received, by key.
type AcknowledgedStates = Arc<Mutex<BTreeMap<String, ChargeState>>>;

/// Charges and cancels until the provider is killed.
async fn charge_and_cancel(client: PlainClient, acknowledged: AcknowledgedStates, prefix: String) {
    let methods = ["ok", "slow", "declined", "lost", "twice"];
    for number in 0_usize.. {
        let key = format!("{prefix}-{number}");
        let Ok(answer) = client.charge(&charge(&key, methods[number % methods.len()])).await else { return };
        acknowledged.lock().unwrap().insert(key.clone(), answer.state);
        if number.is_multiple_of(3) {
            let Ok(answer) = client.cancel(&key).await else { return };
            acknowledged.lock().unwrap().insert(key, answer.state);
        } else if number.is_multiple_of(7) {
            let barred = format!("{key}-unseen");
            let Ok(answer) = client.cancel(&barred).await else { return };
            acknowledged.lock().unwrap().insert(barred, answer.state);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_states_survive_repeated_kills_under_load() {
    let (directory, receiver) = (TempDirectory::new(), CallbackReceiver::open().await);
    let data_file = directory.data_file();
    let acknowledged = AcknowledgedStates::default();
    for round in 0..8 {
        let process = ProviderProcess::start(&data_file, &receiver.url, &[]).await;
        let before = acknowledged.lock().unwrap().len();
        let mut clients = JoinSet::new();
        for client in 0..8 {
            clients.spawn(charge_and_cancel(process.client.clone(), acknowledged.clone(), format!("{round}-{client}")));
        }
        until("some work done", async || (acknowledged.lock().unwrap().len() >= before + 100).then_some(())).await;
        process.kill().await;
        clients.join_all().await;
    }
    let process = ProviderProcess::start(&data_file, &receiver.url, &[]).await;
    let acknowledged = acknowledged.lock().unwrap().clone();
    for (key, state) in &acknowledged {
        match (state, process.client.poll(key).await) {
            (ChargeState::Voided, Err(error)) => {
                assert_eq!(error.code(), "unknown_charge", "{key}");
                assert_eq!(
                    process.client.charge(&charge(key, "ok")).await.unwrap_err().code(),
                    "key_cancelled",
                    "{key}"
                );
            }
            // A charge may have been voided by a cancellation whose reply was lost; a pending one may have been captured.
            (ChargeState::Pending, Ok(now)) => assert_ne!(now.state, ChargeState::Declined, "{key}"),
            (state, Ok(now)) => assert_eq!(now.state, *state, "{key}"),
            (state, Err(error)) => panic!("{key} was {state:?} and is {error:?}"),
        }
    }
    for (key, _) in acknowledged.iter().filter(|(_, state)| **state == ChargeState::Pending) {
        until(key, async || process.client.poll(key).await.ok().filter(|charge| charge.state != ChargeState::Pending))
            .await;
    }
    process.client.until_all_delivered().await;
    let mut received: BTreeMap<String, usize> = BTreeMap::new();
    receiver.received().iter().for_each(|callback| *received.entry(callback.body.key.clone()).or_default() += 1);
    for (key, state) in &acknowledged {
        if matches!(state, ChargeState::Captured | ChargeState::Declined) {
            let is_lost = process.client.poll(key).await.unwrap().method == "lost";
            assert!(is_lost || received.contains_key(key), "{key} is settled without a callback");
        }
    }
}
