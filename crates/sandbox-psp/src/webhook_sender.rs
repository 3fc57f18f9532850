//! Posts callbacks to the shop until it answers 2xx, with a backoff that doubles up to a maximum.
//!
//! At most [`DELIVERIES_IN_FLIGHT_MAX`] deliveries run at once, each with a timeout. A callback is sent after the flush of its change; redirects are not
//! followed. A restart forgets the backoff, not the callbacks.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{FuturesUnordered, StreamExt};
use reqwest::header::CONTENT_TYPE;
use voelgoed_domain::time::Timestamp;

use crate::clock;
use crate::durable_state::{CallbackUpdates, DurableState};
use crate::protocol::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::record::CallbackState;
use crate::state::PendingCallback;

const DELIVERIES_IN_FLIGHT_MAX: usize = 16;

/// When each callback is tried next.
#[derive(Debug, Default)]
struct DeliveryQueue {
    queue: BTreeSet<(Timestamp, String)>,
    /// The number of failures of every callback in the queue or in flight.
    failures: BTreeMap<String, u32>,
}

/// Delivers callbacks for ever.
pub async fn run(state: &DurableState, http: &reqwest::Client) {
    let mut queue = DeliveryQueue::default();
    let mut in_flight = FuturesUnordered::new();
    loop {
        queue.update(state.take_callback_updates(), clock::now());
        while in_flight.len() < DELIVERIES_IN_FLIGHT_MAX
            && let Some(id) = queue.next_due(clock::now())
        {
            in_flight.push(attempt(state, http, id));
        }
        let next = queue.queue.first().map(|(at, _)| *at).filter(|_| in_flight.len() < DELIVERIES_IN_FLIGHT_MAX);
        tokio::select! {
            () = state.callbacks_changed() => {}
            Some((id, finished)) = in_flight.next() => {
                if finished {
                    queue.failures.remove(&id);
                } else {
                    queue.retry_later(id, state);
                }
            }
            () = tokio::time::sleep(next.map(clock::until).unwrap_or_default()), if next.is_some() => {}
        }
    }
}

impl DeliveryQueue {
    fn update(&mut self, updates: CallbackUpdates, now: Timestamp) {
        for id in updates.new_ids {
            if self.failures.insert(id.clone(), 0).is_none() {
                self.queue.insert((now, id));
            }
        }
        if updates.retry_now {
            self.queue = std::mem::take(&mut self.queue).into_iter().map(|(at, id)| (at.min(now), id)).collect();
        }
    }

    fn next_due(&mut self, now: Timestamp) -> Option<String> {
        let due = self.queue.first().is_some_and(|(at, _)| *at <= now);
        if due { self.queue.pop_first().map(|(_, id)| id) } else { None }
    }

    fn retry_later(&mut self, id: String, state: &DurableState) {
        let failures = self.failures.entry(id.clone()).or_default();
        *failures = failures.saturating_add(1);
        let backoff = state.config.delays.callback_backoff(*failures);
        self.queue.insert((clock::now().plus(backoff), id));
    }
}

/// Tries a callback once; true where it needs no further attempt.
async fn attempt(state: &DurableState, http: &reqwest::Client, id: String) -> (String, bool) {
    let finished = match deliver(state, http, &id).await {
        Ok(None) => true,
        Ok(Some(end)) => state.finish_callback(&id, end).await.is_ok(),
        Err(detail) => {
            tracing::debug!(callback = id, detail, "callback not accepted, will be retried");
            false
        }
    };
    (id, finished)
}

/// The callback's final state; none where it is no longer pending; an error where it must be retried.
async fn deliver(state: &DurableState, http: &reqwest::Client, id: &str) -> Result<Option<CallbackState>, String> {
    let pending = state.pending_callback(id).await.map_err(|error| error.to_string())?;
    let Some(PendingCallback { url, body, since }) = pending else { return Ok(None) };
    let now = clock::now();
    if now > since.plus(state.config.delays.callback_lifetime) {
        tracing::warn!(callback = id, "callback given up at the end of its lifetime");
        return Ok(Some(CallbackState::GivenUp));
    }
    let url = url.ok_or("no callback URL is registered")?;
    let body = serde_json::to_vec(&body).map_err(|error| error.to_string())?;
    let (timestamp, signature) = state.config.callback_secret.sign(now, &body);
    let call = http.post(url).header(CONTENT_TYPE, "application/json").header(TIMESTAMP_HEADER, timestamp);
    let call = call.header(SIGNATURE_HEADER, signature).body(body).timeout(state.config.delays.callback_timeout);
    let reply = call.send().await.map_err(|error| error.to_string())?;
    if reply.status().is_success() {
        return Ok(Some(CallbackState::Delivered));
    }
    Err(format!("answered {}", reply.status()))
}
