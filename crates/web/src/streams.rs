//! How many streams of a kind are open on this node: each kind has a named limit of its own, so that buyers who follow their payment keep no
//! scanner out (P9). Viewers of availability are counted by the fan-out.

use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use voelgoed_domain::refusal::{Code, LimitHit, Refusal};

/// Who finds no place is told to come back after so many seconds.
const RETRY_SECONDS: u32 = 2;

/// The streams of one kind.
#[derive(Debug)]
pub struct Streams {
    limit: LimitHit,
    places: Arc<Semaphore>,
}

/// One stream's place; dropping it is leaving.
#[derive(Debug)]
pub struct Place(OwnedSemaphorePermit);

impl Streams {
    /// At most `most` at once, under a stable name.
    #[must_use]
    pub fn new(name: &'static str, most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self { limit: LimitHit { name, most: most as u64 }, places: Arc::new(Semaphore::new(most)) }
    }

    /// A place for one more.
    ///
    /// # Errors
    /// `overloaded` with the limit.
    pub fn enter(&self) -> Result<Place, Refusal> {
        Arc::clone(&self.places).try_acquire_owned().map(Place).map_err(|_| {
            let refusal = Refusal::new(Code::Overloaded, "Too many are listening here. Try again in a moment.");
            refusal.with(|evidence| {
                evidence.limit = Some(self.limit.clone());
                evidence.retry_after = Some(RETRY_SECONDS);
            })
        })
    }
}

impl Place {
    /// The same frames; the place is given back when they are dropped.
    pub fn kept_by(
        self,
        frames: impl Stream<Item = Bytes> + Send + 'static,
    ) -> impl Stream<Item = Bytes> + Send + 'static {
        frames.map(move |frame| {
            let Self(_kept) = &self;
            frame
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn a_place_is_given_back_with_its_stream() {
        let streams = Streams::new("order_streams", 2);
        let one = streams.enter().unwrap().kept_by(stream::iter([Bytes::new()]));
        let _two = streams.enter().unwrap();
        let refusal = streams.enter().unwrap_err();
        assert_eq!(refusal.code, Code::Overloaded);
        assert_eq!(refusal.evidence.limit, Some(LimitHit { name: "order_streams", most: 2 }));
        assert_eq!(one.count().await, 1);
        streams.enter().unwrap();
    }
}
