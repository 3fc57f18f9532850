//! Brings callbacks to the shop, again and again until it answers 2xx, with pauses that double up to a bound.
//!
//! Never: more than [`MOST_IN_FLIGHT`] at once, a call without a deadline, a message about what is not flushed, a redirect followed.
//! A restart forgets the pauses, not the messages.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{FuturesUnordered, StreamExt};
use reqwest::header::CONTENT_TYPE;
use voelgoed_domain::time::Timestamp;

use super::books::Outgoing;
use super::clock;
use super::provider::{News, Provider};
use super::record::CallbackState;
use crate::sandbox::protocol::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// The most callbacks on their way at once.
const MOST_IN_FLIGHT: usize = 16;

/// When which message is tried next.
#[derive(Debug, Default)]
struct Round {
    queue: BTreeSet<(Timestamp, String)>,
    /// Every message in the queue or on its way, with how often it failed.
    failures: BTreeMap<String, u32>,
}

/// Runs for ever.
pub async fn run(provider: &Provider, http: &reqwest::Client) {
    let mut round = Round::default();
    let mut on_their_way = FuturesUnordered::new();
    loop {
        round.learn(provider.take_news(), clock::now());
        while on_their_way.len() < MOST_IN_FLIGHT
            && let Some(id) = round.next_due(clock::now())
        {
            on_their_way.push(bring(provider, http, id));
        }
        let next = round.queue.first().map(|(at, _)| *at).filter(|_| on_their_way.len() < MOST_IN_FLIGHT);
        tokio::select! {
            () = provider.callbacks_changed() => {}
            Some((id, finished)) = on_their_way.next() => {
                if finished {
                    round.failures.remove(&id);
                } else {
                    round.failed(id, provider);
                }
            }
            () = tokio::time::sleep(next.map(clock::until).unwrap_or_default()), if next.is_some() => {}
        }
    }
}

impl Round {
    fn learn(&mut self, news: News, now: Timestamp) {
        for id in news.waiting {
            if self.failures.insert(id.clone(), 0).is_none() {
                self.queue.insert((now, id));
            }
        }
        if news.hurry {
            self.queue = std::mem::take(&mut self.queue).into_iter().map(|(at, id)| (at.min(now), id)).collect();
        }
    }

    fn next_due(&mut self, now: Timestamp) -> Option<String> {
        let due = self.queue.first().is_some_and(|(at, _)| *at <= now);
        if due { self.queue.pop_first().map(|(_, id)| id) } else { None }
    }

    fn failed(&mut self, id: String, provider: &Provider) {
        let failures = self.failures.entry(id.clone()).or_default();
        *failures = failures.saturating_add(1);
        let pause = provider.config.delays.callback_pause(*failures);
        self.queue.insert((clock::now().plus(pause), id));
    }
}

/// One try; true where the message needs no other.
async fn bring(provider: &Provider, http: &reqwest::Client, id: String) -> (String, bool) {
    let finished = match deliver(provider, http, &id).await {
        Ok(None) => true,
        Ok(Some(end)) => provider.finish_callback(&id, end).await.is_ok(),
        Err(detail) => {
            tracing::debug!(callback = id, detail, "callback not taken, will be repeated");
            false
        }
    };
    (id, finished)
}

/// How the message ended; none where it does not wait any more; an error where it must be repeated.
async fn deliver(provider: &Provider, http: &reqwest::Client, id: &str) -> Result<Option<CallbackState>, String> {
    let outgoing = provider.outgoing(id).await.map_err(|refused| refused.to_string())?;
    let Some(Outgoing { url, body, since }) = outgoing else { return Ok(None) };
    let now = clock::now();
    if now > since.plus(provider.config.delays.callback_life) {
        tracing::warn!(callback = id, "callback given up at the end of its life");
        return Ok(Some(CallbackState::GivenUp));
    }
    let url = url.ok_or("nobody has said where callbacks go")?;
    let body = serde_json::to_vec(&body).map_err(|error| error.to_string())?;
    let (timestamp, signature) = provider.config.callback_secret.sign(now, &body);
    let call = http.post(url).header(CONTENT_TYPE, "application/json").header(TIMESTAMP_HEADER, timestamp);
    let call = call.header(SIGNATURE_HEADER, signature).body(body).timeout(provider.config.delays.callback_deadline);
    let answer = call.send().await.map_err(|error| error.to_string())?;
    if answer.status().is_success() {
        return Ok(Some(CallbackState::Delivered));
    }
    Err(format!("answered {}", answer.status()))
}
