//! The provider as a real process: ready line, parent, kill -9 under load.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;
use voelgoed_gateways::sandbox::protocol::{ChargeState, Ready};
use voelgoed_gateways::sandbox::reuse_or_describe;

use super::support::provider::Desk;
use super::support::shop::Shop;
use super::support::{Directory, PATIENCE, charge, until};

/// A provider process that said it is ready; killed when dropped.
struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    ready: Ready,
    desk: Desk,
}

fn command(data_file: &Path, callback_url: &str, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox-psp-under-test"));
    command.arg(data_file).args([callback_url, "0.02"]).args(more).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

impl Process {
    async fn start(data_file: &Path, callback_url: &str, more: &[&str]) -> Self {
        let mut child = command(data_file, callback_url, more).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        let ready: Ready = serde_json::from_str(&line).unwrap();
        assert_eq!(Some(ready.pid), child.id());
        Self { stdin: child.stdin.take(), desk: Desk::new(&ready.url), ready, child }
    }

    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn it_ends_with_its_parent_only_where_it_is_told_so() {
    let directory = Directory::new();
    let data_file = directory.data_file();
    let mut child = Process::start(&data_file, "-", &["--exit-with-parent"]).await;
    let parent_dies = async {
        drop(child.stdin.take());
        child.ended().await
    };
    // Who looks comes first, while the child still lives.
    let (found, ended) = tokio::join!(biased; reuse_or_describe(&data_file), parent_dies);
    assert!(ended.success());
    assert_eq!(found.unwrap(), None, "nobody counts on one that ends with its parent");

    let mut child = Process::start(&data_file, "-", &[]).await;
    drop(child.stdin.take());
    assert_eq!(child.desk.charge(&charge("k", "ok")).await.unwrap().state, ChargeState::Captured);
    assert_eq!(reuse_or_describe(&data_file).await.unwrap().as_ref(), Some(&child.ready));
    let second = timeout(PATIENCE, command(&data_file, "-", &[]).output()).await.unwrap().unwrap();
    assert!(!second.status.success());
    assert_eq!(second.stdout, b"", "it is never ready");
    assert!(String::from_utf8_lossy(&second.stderr).contains("AlreadyRunning"), "{second:?}");
    assert_eq!(child.desk.poll("k").await.unwrap().state, ChargeState::Captured, "the first is not disturbed");
}

/// What clients were told, by key: the last word of the provider.
type Told = Arc<Mutex<BTreeMap<String, ChargeState>>>;

/// One client that charges and cancels until the provider is gone.
async fn disturb(desk: Desk, told: Told, prefix: String) {
    let methods = ["ok", "slow", "declined", "lost", "twice"];
    for number in 0_usize.. {
        let key = format!("{prefix}-{number}");
        let Ok(answer) = desk.charge(&charge(&key, methods[number % methods.len()])).await else { return };
        told.lock().unwrap().insert(key.clone(), answer.state);
        if number.is_multiple_of(3) {
            let Ok(answer) = desk.cancel(&key).await else { return };
            told.lock().unwrap().insert(key, answer.state);
        } else if number.is_multiple_of(7) {
            let barred = format!("{key}-unseen");
            let Ok(answer) = desk.cancel(&barred).await else { return };
            told.lock().unwrap().insert(barred, answer.state);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_under_load_it_keeps_its_word() {
    let (directory, shop) = (Directory::new(), Shop::open().await);
    let data_file = directory.data_file();
    let told = Told::default();
    for round in 0..8 {
        let process = Process::start(&data_file, &shop.url, &[]).await;
        let before = told.lock().unwrap().len();
        let mut clients = JoinSet::new();
        for client in 0..8 {
            clients.spawn(disturb(process.desk.clone(), told.clone(), format!("{round}-{client}")));
        }
        until("some work done", async || (told.lock().unwrap().len() >= before + 100).then_some(())).await;
        process.kill().await;
        clients.join_all().await;
    }
    let process = Process::start(&data_file, &shop.url, &[]).await;
    let told = told.lock().unwrap().clone();
    for (key, state) in &told {
        match (state, process.desk.poll(key).await) {
            (ChargeState::Voided, Err(no)) => {
                assert_eq!(no.code(), "unknown_charge", "{key}");
                assert_eq!(process.desk.charge(&charge(key, "ok")).await.unwrap_err().code(), "key_cancelled", "{key}");
            }
            // A charge whose answer to a cancellation was lost may have been voided; one that was pending may be captured by now.
            (ChargeState::Pending, Ok(now)) => assert_ne!(now.state, ChargeState::Declined, "{key}"),
            (state, Ok(now)) => assert_eq!(now.state, *state, "{key}"),
            (state, Err(no)) => panic!("{key} was {state:?} and is {no:?}"),
        }
    }
    for (key, _) in told.iter().filter(|(_, state)| **state == ChargeState::Pending) {
        until(key, async || process.desk.poll(key).await.ok().filter(|charge| charge.state != ChargeState::Pending))
            .await;
    }
    process.desk.until_all_delivered().await;
    let mut received: BTreeMap<String, usize> = BTreeMap::new();
    shop.received().iter().for_each(|callback| *received.entry(callback.body.key.clone()).or_default() += 1);
    for (key, state) in &told {
        if matches!(state, ChargeState::Captured | ChargeState::Declined) {
            let lost = process.desk.poll(key).await.unwrap().method == "lost";
            assert!(lost || received.contains_key(key), "{key} is settled and nobody was told");
        }
    }
}
