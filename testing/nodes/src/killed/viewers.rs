//! Viewers of the map through the balancer, who reconnect where they stood, and one of a node that is not killed, who never has to.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::sync::watch;
use tokio::task::JoinSet;
use voelgoed_testkit::client::{Call, Client};
use voelgoed_testkit::until::until;

use crate::viewer::{Map, Viewer};

/// A browser that lost its stream waits about so long.
const WAITS: Duration = Duration::from_millis(50);
/// Everybody sees the same within this.
const SOON: Duration = Duration::from_secs(60);

/// What one of them sees.
#[derive(Debug, Default)]
struct Seen {
    map: Map,
    /// When the stream ended, by the node's death.
    ended: Vec<Instant>,
    /// When the first frame came on the stream after it.
    resumed: Vec<Instant>,
    /// Snapshots that came on a stream that went on from a position: what was missed could not be told any more.
    gaps: usize,
}

type Shared = Arc<Mutex<Seen>>;

/// All of them.
pub struct Viewers {
    seen: Vec<Shared>,
    steady: Shared,
    stop: watch::Sender<bool>,
    at_work: JoinSet<anyhow::Result<()>>,
    killed: Mutex<Option<Instant>>,
}

/// What became of them.
#[derive(Debug)]
pub struct Told {
    all: usize,
    resumed: usize,
    /// From the kill until the last of them had a frame again; none where nobody was cut off.
    pub longest: Option<Duration>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = self.longest.unwrap_or_default();
        write!(f, "{} of {} viewers were cut off and resumed, ", self.resumed, self.all)?;
        write!(f, "the last of them {} ms after the kill", longest.as_millis())
    }
}

fn lock(seen: &Shared) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Viewers {
    /// Opens `count` through `balancer`, and the steady one at `node`; each has seen the whole map.
    pub async fn open(balancer: &str, node: &str, event: &str, count: usize) -> anyhow::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let mut viewers = Self {
            seen: Vec::new(),
            steady: Shared::default(),
            stop,
            at_work: JoinSet::new(),
            killed: Mutex::default(),
        };
        for url in std::iter::once(node).chain(std::iter::repeat_n(balancer, count)) {
            let seen = Shared::default();
            viewers.at_work.spawn(follow(url.to_owned(), event.to_owned(), Arc::clone(&seen), stopped.clone()));
            viewers.seen.push(seen);
        }
        viewers.steady = viewers.seen.remove(0);
        until("everybody sees the map", SOON, || async {
            let all = viewers.seen.iter().chain([&viewers.steady]);
            Ok(all.into_iter().all(|seen| !lock(seen).map.places.is_empty()).then_some(()))
        })
        .await?;
        Ok(viewers)
    }

    /// A node is killed now.
    pub fn note_kill(&self) {
        *self.killed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Waits until all see what the node shows, and judges how they came there.
    pub async fn close(mut self, node: &Client, event: &str) -> anyhow::Result<Told> {
        let path = format!("/api/v1/events/{event}/availability");
        let same = until("everybody sees the same map", SOON, || async {
            let map = Map::of(&node.get(&path, Call::default()).await?)?;
            let all = self.seen.iter().chain([&self.steady]);
            Ok(all.into_iter().all(|seen| lock(seen).map.places == map.places).then_some(()))
        });
        let same = same.await;
        self.stop.send_replace(true);
        while let Some(ended) = self.at_work.join_next().await {
            ended??;
        }
        same?;
        ensure!(lock(&self.steady).ended.is_empty(), "the steady viewer was cut off");
        let gaps: usize = self.seen.iter().map(|seen| lock(seen).gaps).sum();
        ensure!(gaps == 0, "{gaps} streams could not go on where they stood");
        let killed = *self.killed.lock().unwrap_or_else(PoisonError::into_inner);
        let killed = killed.context("nobody was killed")?;
        let cut: Vec<_> = self.seen.iter().filter(|seen| lock(seen).ended.iter().any(|at| *at >= killed)).collect();
        let longest = cut.iter().filter_map(|seen| lock(seen).resumed.last().copied()).max();
        ensure!(!cut.is_empty(), "the node that was killed had no viewer");
        let positions: BTreeSet<_> = cut.iter().map(|seen| lock(seen).resumed.len()).collect();
        ensure!(!positions.contains(&0), "a viewer has no stream any more");
        Ok(Told { all: self.seen.len(), resumed: cut.len(), longest: longest.map(|at| at - killed) })
    }
}

/// A viewer's life: reads, and goes on elsewhere where the stream ends.
async fn follow(url: String, event: String, seen: Shared, mut stopped: watch::Receiver<bool>) -> anyhow::Result<()> {
    let path = format!("/api/v1/events/{event}/stream");
    let mut since = String::new();
    while !*stopped.borrow() {
        // Whoever is not let in tries again, as a browser does.
        let Ok(mut viewer) = Viewer::open(&url, &path, None, &since).await else {
            tokio::time::sleep(WAITS).await;
            continue;
        };
        let mut frames = 0;
        loop {
            let frame = tokio::select! {
                frame = viewer.next() => frame,
                _ = stopped.changed() => return Ok(()),
            };
            let Ok(frame) = frame else { break };
            let mut seen = lock(&seen);
            frames += 1;
            if frames == 1 && !since.is_empty() {
                seen.resumed.push(Instant::now());
            }
            seen.gaps += usize::from(frame.event == "snapshot" && !since.is_empty());
            seen.map.take_in(&frame)?;
            since.clone_from(&viewer.position);
        }
        lock(&seen).ended.push(Instant::now());
        tokio::time::sleep(WAITS).await;
    }
    Ok(())
}
