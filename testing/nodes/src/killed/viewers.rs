//! Opens viewers of the seat map through the balancer, which reconnect at their position, and one at a surviving node, which stays connected.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::sync::watch;
use tokio::task::JoinSet;
use voelgoed_testkit::http_client::{ApiCall, ApiClient};
use voelgoed_testkit::seat_map::SeatMap;
use voelgoed_testkit::sse::SseStream;
use voelgoed_testkit::until::until;

const RECONNECT_PAUSE: Duration = Duration::from_millis(50);
/// For all viewers to see the same map.
const CONVERGENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// The state of one viewer.
#[derive(Debug, Default)]
struct ViewerState {
    map: SeatMap,
    /// When a stream ended.
    ended: Vec<Instant>,
    /// When the first frame came on the next stream.
    resumed: Vec<Instant>,
    /// Snapshots on a resumed stream: the missed deltas were not available any more.
    gaps: usize,
}

type SharedState = Arc<Mutex<ViewerState>>;

/// Viewers that reconnect, and a steady one.
pub struct ReconnectingViewers {
    states: Vec<SharedState>,
    steady: SharedState,
    stop: watch::Sender<bool>,
    running: JoinSet<anyhow::Result<()>>,
    killed: Mutex<Option<Instant>>,
}

/// How the viewers of a killed node resumed.
#[derive(Debug)]
pub struct ResumedViewers {
    all: usize,
    resumed: usize,
    /// From the kill until the last viewer received a frame again; none where no viewer was cut off.
    pub last_resumed_after: Option<Duration>,
}

impl fmt::Display for ResumedViewers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last_resumed_after = self.last_resumed_after.unwrap_or_default();
        write!(f, "{} of {} viewers were cut off and resumed, ", self.resumed, self.all)?;
        write!(f, "the last of them {} ms after the kill", last_resumed_after.as_millis())
    }
}

fn lock(state: &SharedState) -> MutexGuard<'_, ViewerState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ReconnectingViewers {
    /// Opens `count` viewers through `balancer`, and the steady one at `node`; each has received a snapshot.
    pub async fn open(balancer: &str, node: &str, event: &str, count: usize) -> anyhow::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let mut viewers = Self {
            states: Vec::new(),
            steady: SharedState::default(),
            stop,
            running: JoinSet::new(),
            killed: Mutex::default(),
        };
        for url in std::iter::once(node).chain(std::iter::repeat_n(balancer, count)) {
            let state = SharedState::default();
            viewers.running.spawn(follow(url.to_owned(), event.to_owned(), Arc::clone(&state), stopped.clone()));
            viewers.states.push(state);
        }
        viewers.steady = viewers.states.remove(0);
        until("every viewer sees the map", CONVERGENCE_TIMEOUT, || async {
            let all = viewers.states.iter().chain([&viewers.steady]);
            Ok(all.into_iter().all(|state| !lock(state).map.places.is_empty()).then_some(()))
        })
        .await?;
        Ok(viewers)
    }

    /// Notes that a node is killed now.
    pub fn note_kill(&self) {
        *self.killed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Waits until all viewers see the node's map, and checks that each resumed without a gap.
    pub async fn close(mut self, node: &ApiClient, event: &str) -> anyhow::Result<ResumedViewers> {
        let path = format!("/api/v1/events/{event}/availability");
        let same = until("every viewer sees the same map", CONVERGENCE_TIMEOUT, || async {
            let map = SeatMap::from_availability(&node.get(&path, ApiCall::default()).await?)?;
            let all = self.states.iter().chain([&self.steady]);
            Ok(all.into_iter().all(|state| lock(state).map.places == map.places).then_some(()))
        });
        let same = same.await;
        self.stop.send_replace(true);
        while let Some(ended) = self.running.join_next().await {
            ended??;
        }
        same?;
        ensure!(lock(&self.steady).ended.is_empty(), "the steady viewer was cut off");
        let gaps: usize = self.states.iter().map(|state| lock(state).gaps).sum();
        ensure!(gaps == 0, "{gaps} streams could not resume at their position");
        let killed = *self.killed.lock().unwrap_or_else(PoisonError::into_inner);
        let killed = killed.context("no node was killed")?;
        let cut: Vec<_> = self.states.iter().filter(|state| lock(state).ended.iter().any(|at| *at >= killed)).collect();
        let last_resumed_after = cut.iter().filter_map(|state| lock(state).resumed.last().copied()).max();
        ensure!(!cut.is_empty(), "the node that was killed had no viewer");
        let positions: BTreeSet<_> = cut.iter().map(|state| lock(state).resumed.len()).collect();
        ensure!(!positions.contains(&0), "a viewer has no stream any more");
        Ok(ResumedViewers {
            all: self.states.len(),
            resumed: cut.len(),
            last_resumed_after: last_resumed_after.map(|at| at - killed),
        })
    }
}

/// Reads the stream of the map, and reconnects where it ends, until stopped.
async fn follow(
    url: String,
    event: String,
    state: SharedState,
    mut stopped: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let path = format!("/api/v1/events/{event}/stream");
    while !*stopped.borrow() {
        // A new client each time, as a browser that reconnects: an idle connection may lead to the killed node.
        let mut request = ApiClient::new(&url)?.request("GET", &path);
        let position = lock(&state).map.position.clone();
        let resumes = !position.is_empty();
        if resumes {
            request = request.header("Last-Event-ID", position);
        }
        // A viewer that is refused tries again, as a browser does.
        let Ok(mut stream) = SseStream::open(request).await else {
            tokio::time::sleep(RECONNECT_PAUSE).await;
            continue;
        };
        let mut frames = 0;
        loop {
            let frame = tokio::select! {
                frame = stream.next_data() => frame,
                _ = stopped.changed() => return Ok(()),
            };
            let Ok(frame) = frame else { break };
            let mut state = lock(&state);
            frames += 1;
            if frames == 1 && resumes {
                state.resumed.push(Instant::now());
            }
            state.gaps += usize::from(frame.event == "snapshot" && resumes);
            state.map.apply(&frame)?;
        }
        lock(&state).ended.push(Instant::now());
        tokio::time::sleep(RECONNECT_PAUSE).await;
    }
    Ok(())
}
