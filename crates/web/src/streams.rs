//! Permits of streams: how many of a kind this node has open, with shares per address and organization, so that nobody takes all of them (P9).
//!
//! Never: a stream refused to whoever has one open already. The newest stream of the same session, order or device ends its oldest.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::{Code, LimitHit, Refusal};
use voelgoed_resilience::{KeyedConcurrency, KeyedConcurrencyFull, KeyedConcurrencyLimit, KeyedPermit};

/// Who finds no place is told to come back after so many seconds.
const RETRY_SECONDS: u32 = 2;

/// The limits of one kind of stream.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// Of all together, under a stable name.
    pub all: KeyedConcurrencyLimit,
    /// Of one client address.
    pub per_address: KeyedConcurrencyLimit,
    /// Of one organization's events.
    pub per_organization: KeyedConcurrencyLimit,
    /// Of the same session, order or device.
    pub per_holder: usize,
}

/// Whose stream it is.
#[derive(Debug, Clone, Copy)]
pub struct StreamOf {
    /// Where it goes.
    pub address: IpAddr,
    /// Whose event it is about.
    pub organization: OrganizationId,
    /// The session, order or device.
    pub holder: Uuid,
}

/// The streams of one kind.
#[derive(Debug)]
pub struct Streams {
    limits: StreamLimits,
    all: Arc<Semaphore>,
    addresses: KeyedConcurrency<IpAddr>,
    organizations: KeyedConcurrency<OrganizationId>,
    open: Arc<Mutex<HashMap<Uuid, VecDeque<Arc<OpenStream>>>>>,
}

/// A stream that is open.
#[derive(Debug)]
struct OpenStream {
    of: StreamOf,
    ended: CancellationToken,
    /// Taken from it where a newer one takes its place.
    counted: Mutex<Option<Counted>>,
}

/// What a stream counts against.
#[derive(Debug)]
struct Counted {
    _all: OwnedSemaphorePermit,
    _address: KeyedPermit<IpAddr>,
    _organization: KeyedPermit<OrganizationId>,
}

/// One stream's permit; dropping it is leaving.
#[derive(Debug)]
pub struct StreamPermit {
    stream: Arc<OpenStream>,
    holder: Uuid,
    open: Arc<Mutex<HashMap<Uuid, VecDeque<Arc<OpenStream>>>>>,
}

impl Streams {
    /// None is open.
    #[must_use]
    pub fn new(limits: StreamLimits) -> Self {
        Self {
            limits,
            all: Arc::new(Semaphore::new(limits.all.most.min(Semaphore::MAX_PERMITS))),
            addresses: KeyedConcurrency::new(limits.per_address),
            organizations: KeyedConcurrency::new(limits.per_organization),
            open: Arc::default(),
        }
    }

    /// A permit for one more; where the holder has as many as it may, its oldest stream ends.
    ///
    /// # Errors
    /// `overloaded` or `rate_limited` with the limit that was met.
    pub fn enter(&self, of: StreamOf) -> Result<StreamPermit, Refusal> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let full = open.get_mut(&of.holder).filter(|streams| streams.len() >= self.limits.per_holder.max(1));
        let counted = Mutex::new(Some(match full {
            Some(streams) => {
                let counted = self.count_instead(of, streams.front())?;
                streams.pop_front();
                counted
            }
            None => self.count(of)?,
        }));
        let stream = Arc::new(OpenStream { of, ended: CancellationToken::new(), counted });
        open.entry(of.holder).or_default().push_back(Arc::clone(&stream));
        Ok(StreamPermit { stream, holder: of.holder, open: Arc::clone(&self.open) })
    }

    /// Counts a stream, and ends the one whose place it takes; that one stays where the new one is refused.
    fn count_instead(&self, of: StreamOf, oldest: Option<&Arc<OpenStream>>) -> Result<Counted, Refusal> {
        let Some(oldest) = oldest else { return self.count(of) };
        let mut given_back = oldest.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = self.count(of).or_else(|_| {
            // What the oldest counts for may be what is missing.
            drop(given_back.take());
            self.count(of).inspect_err(|_| *given_back = self.count(oldest.of).ok())
        })?;
        // Given back at once: the connection itself ends a little later.
        drop(given_back.take());
        oldest.ended.cancel();
        Ok(counted)
    }

    fn count(&self, of: StreamOf) -> Result<Counted, Refusal> {
        let full = |KeyedConcurrencyFull { limit }| refusal(Code::RateLimited, limit);
        let address = self.addresses.try_acquire(of.address).map_err(full)?;
        let full = |KeyedConcurrencyFull { limit }| refusal(Code::Overloaded, limit);
        let organization = self.organizations.try_acquire(of.organization).map_err(full)?;
        let all = Arc::clone(&self.all).try_acquire_owned();
        let all = all.map_err(|_| refusal(Code::Overloaded, self.limits.all))?;
        Ok(Counted { _all: all, _address: address, _organization: organization })
    }
}

fn refusal(code: Code, limit: KeyedConcurrencyLimit) -> Refusal {
    Refusal::new(code, "Too many are listening here. Try again in a moment.").with(|evidence| {
        evidence.limit = Some(LimitHit { name: limit.name, most: limit.most as u64 });
        evidence.retry_after = Some(RETRY_SECONDS);
    })
}

impl StreamPermit {
    /// The same frames until a newer stream takes their place; the permit is given back when they are dropped.
    pub fn kept_by(
        self,
        frames: impl Stream<Item = Bytes> + Send + 'static,
    ) -> impl Stream<Item = Bytes> + Send + 'static {
        let ended = self.stream.ended.clone().cancelled_owned();
        frames.take_until(ended).map(move |frame| {
            let _kept = &self;
            frame
        })
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(streams) = open.get_mut(&self.holder) {
            streams.retain(|stream| !Arc::ptr_eq(stream, &self.stream));
            if streams.is_empty() {
                open.remove(&self.holder);
            }
        }
        drop(self.stream.counted.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures::stream;

    use super::*;

    fn limits(all: usize, per_address: usize, per_organization: usize, per_holder: usize) -> StreamLimits {
        let limit = |name, most| KeyedConcurrencyLimit { name, most };
        StreamLimits {
            all: limit("order_streams", all),
            per_address: limit("order_streams_per_address_max", per_address),
            per_organization: limit("order_streams_per_organization_max", per_organization),
            per_holder,
        }
    }

    fn of(address: u8, organization: u128, holder: u128) -> StreamOf {
        StreamOf {
            address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, address)),
            organization: OrganizationId::from_uuid(Uuid::from_u128(organization)),
            holder: Uuid::from_u128(holder),
        }
    }

    #[tokio::test]
    async fn a_permit_is_given_back_with_its_stream() {
        let streams = Streams::new(limits(2, 9, 9, 9));
        let one = streams.enter(of(1, 1, 1)).unwrap().kept_by(stream::iter([Bytes::new()]));
        let _two = streams.enter(of(1, 1, 2)).unwrap();
        let refusal = streams.enter(of(1, 1, 3)).unwrap_err();
        assert_eq!(refusal.code, Code::Overloaded);
        assert_eq!(refusal.evidence.limit, Some(LimitHit { name: "order_streams", most: 2 }));
        assert_eq!(one.count().await, 1);
        drop(streams.enter(of(1, 1, 3)).unwrap());
        assert_eq!(streams.open.lock().unwrap().len(), 1, "who has left is forgotten");
    }

    #[tokio::test]
    async fn an_address_and_an_organization_have_shares() {
        let streams = Streams::new(limits(9, 2, 3, 9));
        let _first = (streams.enter(of(1, 1, 1)).unwrap(), streams.enter(of(1, 1, 2)).unwrap());
        let refusal = streams.enter(of(1, 2, 3)).unwrap_err();
        assert_eq!(refusal.code, Code::RateLimited);
        assert_eq!(refusal.evidence.limit, Some(LimitHit { name: "order_streams_per_address_max", most: 2 }));
        let _third = streams.enter(of(2, 1, 4)).unwrap();
        let refusal = streams.enter(of(2, 1, 5)).unwrap_err();
        assert_eq!(refusal.code, Code::Overloaded);
        assert_eq!(refusal.evidence.limit, Some(LimitHit { name: "order_streams_per_organization_max", most: 3 }));
        assert!(streams.enter(of(2, 2, 6)).is_ok(), "another organization has its own share");
    }

    #[tokio::test]
    async fn a_stream_that_is_refused_ends_no_other() {
        let streams = Streams::new(limits(3, 1, 3, 1));
        let mut own = Box::pin(streams.enter(of(1, 1, 1)).unwrap().kept_by(stream::pending()));
        let _neighbour = streams.enter(of(2, 1, 2)).unwrap();
        let refusal = streams.enter(of(2, 1, 1)).unwrap_err();
        assert_eq!(refusal.code, Code::RateLimited, "the phone has moved to a network that is full");
        assert!(futures::poll!(own.next()).is_pending());
        assert_eq!(streams.all.available_permits(), 1);
        let _newer = streams.enter(of(1, 1, 1)).unwrap();
        assert!(futures::poll!(own.next()).is_ready());
        assert_eq!(streams.all.available_permits(), 1);
    }

    #[tokio::test]
    async fn the_newest_stream_of_a_holder_ends_its_oldest() {
        let streams = Streams::new(limits(2, 2, 2, 2));
        let mut open = Vec::new();
        for _ in 0..5 {
            let permit = streams.enter(of(1, 1, 1)).unwrap();
            open.push(Box::pin(permit.kept_by(stream::pending())));
        }
        for (at, frames) in open.iter_mut().enumerate() {
            let ended = futures::poll!(frames.next()).is_ready();
            assert_eq!(ended, at < 3, "stream {at}");
        }
        assert!(streams.enter(of(1, 1, 2)).is_err(), "what ended was given back once");
        drop(open);
        assert!(streams.open.lock().unwrap().is_empty());
        assert_eq!(streams.all.available_permits(), 2);
    }
}
