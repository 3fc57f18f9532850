//! An open loop: requests leave when they are due, whatever became of those before, as people do. A latency counts from when its request was due,
//! so that a stall of the server is charged to all who came meanwhile, and so is the loop's own lateness.
//!
//! Never: a request left out because the server is slow; past [`MOST_CONNECTIONS`] under way the run fails instead.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::client::{Answer, Connection};
use crate::latency::Latencies;

/// A connection that rested longer is not used again: the server may be about to close it.
const LONGEST_REST: Duration = Duration::from_secs(5);
/// Requests under way at once.
pub const MOST_CONNECTIONS: usize = 2_000;

/// What a run brought.
pub struct Run {
    /// From due to answered.
    pub latencies: Latencies,
    /// In the order of the requests, each with the moment it was answered.
    pub answers: Vec<(Instant, Answer)>,
}

/// Each moment at which a request is due, told when it has come: by a thread, since the runtime's timer is late by up to two milliseconds.
fn dues(per_second: f64, count: usize) -> mpsc::UnboundedReceiver<Instant> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let start = Instant::now();
    std::thread::spawn(move || {
        for at in 0..count {
            let due = start + Duration::from_secs_f64(at as f64 / per_second);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if sender.send(due).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Sends `requests` at `per_second`, each of which must be answered by `status`.
///
/// # Errors
/// A connection ended, an answer is another one, or the server fell behind by [`MOST_CONNECTIONS`].
pub async fn send(address: &str, per_second: f64, requests: Vec<Vec<u8>>, status: u16) -> anyhow::Result<Run> {
    let idle: Arc<Mutex<VecDeque<(Instant, Connection)>>> = Arc::default();
    let mut due_at = dues(per_second, requests.len());
    let mut running = JoinSet::new();
    let mut done = Vec::with_capacity(requests.len());
    for (at, request) in requests.into_iter().enumerate() {
        let due = due_at.recv().await.context("each request is due some time")?;
        while let Some(ended) = running.try_join_next() {
            done.push(ended??);
        }
        ensure!(running.len() < MOST_CONNECTIONS, "the server fell behind by {MOST_CONNECTIONS} requests");
        let (idle, address) = (Arc::clone(&idle), address.to_owned());
        running.spawn(async move {
            let rested = idle.lock().unwrap_or_else(PoisonError::into_inner).pop_back();
            let mut connection = match rested {
                Some((since, connection)) if since.elapsed() < LONGEST_REST => connection,
                _ => Connection::open(&address).await?,
            };
            let answer = connection.send(&request).await?.expect(status)?;
            let answered = Instant::now();
            idle.lock().unwrap_or_else(PoisonError::into_inner).push_back((answered, connection));
            anyhow::Ok((at, due, answered, answer))
        });
    }
    while let Some(ended) = running.join_next().await {
        done.push(ended??);
    }
    done.sort_unstable_by_key(|(at, ..)| *at);
    let mut latencies = Latencies::default();
    for (_, due, answered, _) in &done {
        latencies.record(*answered - *due);
    }
    Ok(Run { latencies, answers: done.into_iter().map(|(_, _, answered, answer)| (answered, answer)).collect() })
}
