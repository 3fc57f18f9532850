//! Runs an open loop: requests are sent when they are due, without waiting for earlier ones. A latency counts from the due time, so that a stall of the
//! server (and the loop's own delay) is charged to all requests due meanwhile.
//!
//! Never: a request left out because the server is slow; beyond [`REQUESTS_IN_FLIGHT_MAX`] the run fails instead.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::latency::Latencies;
use crate::raw_client::{CONNECTION_IDLE_MAX, RawConnection, RawResponse};

/// Also the number of connections.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 2_000;

/// The responses of an open loop.
pub struct OpenLoopRun {
    /// From the due time to the response.
    pub latencies: Latencies,
    /// In the order of the requests, each with the moment of its response.
    pub responses: Vec<(Instant, RawResponse)>,
}

/// Sends each due time when it has come; from a thread, since the runtime's timer is late by up to two milliseconds.
fn due_times(per_second: f64, count: usize) -> mpsc::UnboundedReceiver<Instant> {
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

/// Sends `requests` at `per_second`, whose responses must have this status.
///
/// # Errors
/// A connection ended, a response has another status, or the server fell behind by [`REQUESTS_IN_FLIGHT_MAX`].
pub async fn send(address: &str, per_second: f64, requests: Vec<Vec<u8>>, status: u16) -> anyhow::Result<OpenLoopRun> {
    let idle: Arc<Mutex<VecDeque<(Instant, RawConnection)>>> = Arc::default();
    let mut due_at = due_times(per_second, requests.len());
    let mut running = JoinSet::new();
    let mut done = Vec::with_capacity(requests.len());
    for (at, request) in requests.into_iter().enumerate() {
        let due = due_at.recv().await.context("each request has a due time")?;
        while let Some(ended) = running.try_join_next() {
            done.push(ended??);
        }
        ensure!(running.len() < REQUESTS_IN_FLIGHT_MAX, "the server fell behind by {REQUESTS_IN_FLIGHT_MAX} requests");
        let (idle, address) = (Arc::clone(&idle), address.to_owned());
        running.spawn(async move {
            let idle_connection = idle.lock().unwrap_or_else(PoisonError::into_inner).pop_back();
            let mut connection = match idle_connection {
                Some((since, connection)) if since.elapsed() < CONNECTION_IDLE_MAX => connection,
                _ => RawConnection::open(&address).await?,
            };
            let response = connection.send(&request).await?.expect(status)?;
            let answered = Instant::now();
            idle.lock().unwrap_or_else(PoisonError::into_inner).push_back((answered, connection));
            anyhow::Ok((at, due, answered, response))
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
    let responses = done.into_iter().map(|(_, _, answered, response)| (answered, response)).collect();
    Ok(OpenLoopRun { latencies, responses })
}
