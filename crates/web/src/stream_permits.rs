//! Bounds the open streams of one kind by permits, in total and per address and organization, so that no client takes all of them (P9).
//!
//! Never: a stream refused to a session, order or device because of its own older ones. Its newest stream ends its oldest.

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

/// `Retry-After` of a client that gets no permit.
const RETRY_SECONDS: u32 = 2;

/// The limits of one kind of stream.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// Of all together.
    pub all: KeyedConcurrencyLimit,
    /// Of one client address.
    pub per_address: KeyedConcurrencyLimit,
    /// Of one organization's events.
    pub per_organization: KeyedConcurrencyLimit,
    /// Of the same session, order or device.
    pub per_holder: usize,
}

/// Whom a stream counts against.
#[derive(Debug, Clone, Copy)]
pub struct StreamOwner {
    /// The client's address.
    pub address: IpAddr,
    /// The organization of the event.
    pub organization: OrganizationId,
    /// The session, order or device.
    pub holder: Uuid,
}

/// The permits of one kind of stream.
#[derive(Debug)]
pub struct StreamPermits {
    limits: StreamLimits,
    all: Arc<Semaphore>,
    addresses: KeyedConcurrency<IpAddr>,
    organizations: KeyedConcurrency<OrganizationId>,
    open: OpenStreams,
}

/// The open streams of each holder, oldest first.
type OpenStreams = Arc<Mutex<HashMap<Uuid, VecDeque<Arc<OpenStream>>>>>;

#[derive(Debug)]
struct OpenStream {
    owner: StreamOwner,
    ended: CancellationToken,
    /// None once a newer stream has taken the permits.
    permits: Mutex<Option<Permits>>,
}

/// The permits of a stream; given back on drop.
#[derive(Debug)]
struct Permits {
    _all: OwnedSemaphorePermit,
    _address: KeyedPermit<IpAddr>,
    _organization: KeyedPermit<OrganizationId>,
}

/// The right to one open stream; given back on drop.
#[derive(Debug)]
pub struct StreamPermit {
    stream: Arc<OpenStream>,
    holder: Uuid,
    open: OpenStreams,
}

impl StreamPermits {
    /// Permits within these limits; no stream is open.
    #[must_use]
    pub fn new(limits: StreamLimits) -> Self {
        Self {
            limits,
            all: Arc::new(Semaphore::new(limits.all.permits_max.min(Semaphore::MAX_PERMITS))),
            addresses: KeyedConcurrency::new(limits.per_address),
            organizations: KeyedConcurrency::new(limits.per_organization),
            open: Arc::default(),
        }
    }

    /// A permit for one more stream; where the holder has as many as allowed, its oldest stream ends.
    ///
    /// # Errors
    /// `overloaded` or `rate_limited` with the limit that was met.
    pub fn acquire(&self, owner: StreamOwner) -> Result<StreamPermit, Refusal> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let full = open.get_mut(&owner.holder).filter(|streams| streams.len() >= self.limits.per_holder.max(1));
        let permits = Mutex::new(Some(match full {
            Some(streams) => {
                let permits = self.replace(owner, streams.front())?;
                streams.pop_front();
                permits
            }
            None => self.take(owner)?,
        }));
        let stream = Arc::new(OpenStream { owner, ended: CancellationToken::new(), permits });
        open.entry(owner.holder).or_default().push_back(Arc::clone(&stream));
        Ok(StreamPermit { stream, holder: owner.holder, open: Arc::clone(&self.open) })
    }

    /// Takes permits for a stream and ends `oldest`; where the new stream is refused, the oldest stays open.
    fn replace(&self, owner: StreamOwner, oldest: Option<&Arc<OpenStream>>) -> Result<Permits, Refusal> {
        let Some(oldest) = oldest else { return self.take(owner) };
        let mut oldest_permits = oldest.permits.lock().unwrap_or_else(PoisonError::into_inner);
        let permits = self.take(owner).or_else(|_| {
            // The oldest stream may have the permit that is missing.
            drop(oldest_permits.take());
            self.take(owner).inspect_err(|_| *oldest_permits = self.take(oldest.owner).ok())
        })?;
        // Given back now: the connection itself ends a little later.
        drop(oldest_permits.take());
        oldest.ended.cancel();
        Ok(permits)
    }

    fn take(&self, owner: StreamOwner) -> Result<Permits, Refusal> {
        let full = |KeyedConcurrencyFull { limit }| refusal(Code::RateLimited, limit);
        let address = self.addresses.try_acquire(owner.address).map_err(full)?;
        let full = |KeyedConcurrencyFull { limit }| refusal(Code::Overloaded, limit);
        let organization = self.organizations.try_acquire(owner.organization).map_err(full)?;
        let all = Arc::clone(&self.all).try_acquire_owned();
        let all = all.map_err(|_| refusal(Code::Overloaded, self.limits.all))?;
        Ok(Permits { _all: all, _address: address, _organization: organization })
    }
}

fn refusal(code: Code, limit: KeyedConcurrencyLimit) -> Refusal {
    Refusal::new(code, "Too many streams are open here. Try again in a moment.").with(|evidence| {
        evidence.limit = Some(LimitHit { name: limit.name, most: limit.permits_max as u64 });
        evidence.retry_after = Some(RETRY_SECONDS);
    })
}

impl StreamPermit {
    /// The same frames until a newer stream replaces them; the permit is given back when they are dropped.
    pub fn guard(
        self,
        frames: impl Stream<Item = Bytes> + Send + 'static,
    ) -> impl Stream<Item = Bytes> + Send + 'static {
        let ended = self.stream.ended.clone().cancelled_owned();
        frames.take_until(ended).map(move |frame| {
            let _permit = &self;
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
        drop(self.stream.permits.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures::stream;

    use super::*;

    fn limits(all: usize, per_address: usize, per_organization: usize, per_holder: usize) -> StreamLimits {
        let limit = |name, permits_max| KeyedConcurrencyLimit { name, permits_max };
        StreamLimits {
            all: limit("order_streams", all),
            per_address: limit("order_streams_per_address_max", per_address),
            per_organization: limit("order_streams_per_organization_max", per_organization),
            per_holder,
        }
    }

    fn owner(address: u8, organization: u128, holder: u128) -> StreamOwner {
        StreamOwner {
            address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, address)),
            organization: OrganizationId::from_uuid(Uuid::from_u128(organization)),
            holder: Uuid::from_u128(holder),
        }
    }

    #[tokio::test]
    async fn dropped_stream_gives_its_permit_back() {
        let streams = StreamPermits::new(limits(2, 9, 9, 9));
        let one = streams.acquire(owner(1, 1, 1)).unwrap().guard(stream::iter([Bytes::new()]));
        let _two = streams.acquire(owner(1, 1, 2)).unwrap();
        let refusal = streams.acquire(owner(1, 1, 3)).unwrap_err();
        assert_eq!(refusal.code, Code::Overloaded);
        assert_eq!(refusal.evidence.limit, Some(LimitHit { name: "order_streams", most: 2 }));
        assert_eq!(one.count().await, 1);
        drop(streams.acquire(owner(1, 1, 3)).unwrap());
        assert_eq!(streams.open.lock().unwrap().len(), 1, "an ended stream is forgotten");
    }

    #[tokio::test]
    async fn address_and_organization_have_limits_of_their_own() {
        let streams = StreamPermits::new(limits(9, 2, 3, 9));
        let _first = (streams.acquire(owner(1, 1, 1)).unwrap(), streams.acquire(owner(1, 1, 2)).unwrap());
        let refusal = streams.acquire(owner(1, 2, 3)).unwrap_err();
        assert_eq!(refusal.code, Code::RateLimited);
        assert_eq!(refusal.evidence.limit, Some(LimitHit { name: "order_streams_per_address_max", most: 2 }));
        let _third = streams.acquire(owner(2, 1, 4)).unwrap();
        let refusal = streams.acquire(owner(2, 1, 5)).unwrap_err();
        assert_eq!(refusal.code, Code::Overloaded);
        assert_eq!(refusal.evidence.limit, Some(LimitHit { name: "order_streams_per_organization_max", most: 3 }));
        assert!(streams.acquire(owner(2, 2, 6)).is_ok(), "another organization has its own limit");
    }

    #[tokio::test]
    async fn refused_stream_ends_no_other_stream() {
        let streams = StreamPermits::new(limits(3, 1, 3, 1));
        let mut own = Box::pin(streams.acquire(owner(1, 1, 1)).unwrap().guard(stream::pending()));
        let _neighbour = streams.acquire(owner(2, 1, 2)).unwrap();
        let refusal = streams.acquire(owner(2, 1, 1)).unwrap_err();
        assert_eq!(refusal.code, Code::RateLimited, "the phone has moved to a network that is full");
        assert!(futures::poll!(own.next()).is_pending());
        assert_eq!(streams.all.available_permits(), 1);
        let _newer = streams.acquire(owner(1, 1, 1)).unwrap();
        assert!(futures::poll!(own.next()).is_ready());
        assert_eq!(streams.all.available_permits(), 1);
    }

    #[tokio::test]
    async fn newest_stream_of_a_holder_ends_its_oldest() {
        let streams = StreamPermits::new(limits(2, 2, 2, 2));
        let mut open = Vec::new();
        for _ in 0..5 {
            let permit = streams.acquire(owner(1, 1, 1)).unwrap();
            open.push(Box::pin(permit.guard(stream::pending())));
        }
        for (at, frames) in open.iter_mut().enumerate() {
            let ended = futures::poll!(frames.next()).is_ready();
            assert_eq!(ended, at < 3, "stream {at}");
        }
        assert!(streams.acquire(owner(1, 1, 2)).is_err(), "an ended stream gives its permits back once");
        drop(open);
        assert!(streams.open.lock().unwrap().is_empty());
        assert_eq!(streams.all.available_permits(), 2);
    }
}
