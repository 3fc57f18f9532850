//! Reads the body of a request before the request takes a load-shed permit: within a timeout, at a minimum rate, into a bounded pool of bytes.
//!
//! Never: a load-shed permit for a body that is still being sent, so that slow senders delay no other request. Bytes that came together with the head
//! are read at once; only a body that has to be waited for counts against its address.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};
use voelgoed_domain::refusal::{Code, LimitHit, Refusal};
use voelgoed_resilience::{KeyedConcurrency, KeyedConcurrencyLimit};

use crate::body_pool::{BodyPool, PoolLimits, PooledBytes, RETRY_SECONDS};
use crate::body_size_limit::BodySizeLimit;

/// The limits of bodies that are being read.
///
/// A body has `timeout` and a second more for each `bytes_per_second_min` bytes that were received, but never more than `time_max`.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Bytes of bodies that are being read or handled.
    pub pool: PoolLimits,
    /// Unfinished bodies of one address.
    pub per_address_max: usize,
    /// Of a small body.
    pub timeout: Duration,
    /// The rate at which a body gains time.
    pub bytes_per_second_min: usize,
    /// Of the largest body.
    pub time_max: Duration,
}

/// Reads bodies within their limits.
#[derive(Debug)]
pub struct BodyReader {
    limits: BodyLimits,
    pool: BodyPool,
    unfinished: KeyedConcurrency<IpAddr>,
}

impl BodyReader {
    /// A reader with an empty pool.
    #[must_use]
    pub fn new(limits: BodyLimits) -> Self {
        let unfinished =
            KeyedConcurrencyLimit { name: "bodies_per_address_max", permits_max: limits.per_address_max.max(1) };
        Self { limits, pool: BodyPool::new(limits.pool), unfinished: KeyedConcurrency::new(unfinished) }
    }

    /// Reads a whole body; its bytes stay in the pool until the second value is dropped.
    ///
    /// # Errors
    /// `too_large`, `body_timeout`, `rate_limited` where the address has too many unfinished bodies, `overloaded` where the pool is full,
    /// `invalid_request` where the connection broke off.
    pub async fn read(
        &self,
        body: Body,
        limit: BodySizeLimit,
        address: IpAddr,
    ) -> Result<(Bytes, PooledBytes), Refusal> {
        let received = AtomicUsize::new(0);
        let mut whole = pin!(self.collect(body, limit, address, &received));
        if let Poll::Ready(read) = futures::poll!(whole.as_mut()) {
            return read;
        }
        let _permit = self.unfinished.try_acquire(address).map_err(|full| too_many(full.limit))?;
        let started = Instant::now();
        loop {
            let so_far = received.load(Ordering::Relaxed);
            let allowed = (self.limits.timeout + self.time_gained(so_far)).min(self.limits.time_max);
            if let Ok(read) = timeout_at(started + allowed, whole.as_mut()).await {
                return read;
            }
            if allowed == self.limits.time_max || received.load(Ordering::Relaxed) == so_far {
                return Err(too_slow());
            }
        }
    }

    /// The time that a body has gained by the bytes that were received.
    fn time_gained(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.limits.bytes_per_second_min.max(1) as f64)
    }

    async fn collect(
        &self,
        mut body: Body,
        limit: BodySizeLimit,
        address: IpAddr,
        received: &AtomicUsize,
    ) -> Result<(Bytes, PooledBytes), Refusal> {
        let mut first: Option<Bytes> = None;
        let mut all = BytesMut::new();
        let mut pooled = PooledBytes::default();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| broken_off())?.into_data() else { continue };
            let so_far = received.fetch_add(data.len(), Ordering::Relaxed) + data.len();
            if so_far > limit.bytes_max {
                return Err(too_large(limit));
            }
            self.pool.add(&mut pooled, data.len(), limit, address)?;
            match first.take() {
                None if all.is_empty() => first = Some(data),
                None => all.extend_from_slice(&data),
                Some(before) => {
                    all.extend_from_slice(&before);
                    all.extend_from_slice(&data);
                }
            }
        }
        Ok((first.unwrap_or_else(|| all.freeze()), pooled))
    }
}

fn too_many(limit: KeyedConcurrencyLimit) -> Refusal {
    Refusal::new(Code::RateLimited, "Too many unfinished requests from this address. Wait a moment.").with(|evidence| {
        evidence.limit = Some(LimitHit { name: limit.name, most: limit.permits_max as u64 });
        evidence.retry_after = Some(RETRY_SECONDS);
    })
}

fn too_slow() -> Refusal {
    Refusal::new(Code::BodyTimeout, "The body did not come in time. Nothing was begun; send it again.")
}

fn too_large(BodySizeLimit { name, bytes_max, .. }: BodySizeLimit) -> Refusal {
    let refusal = Refusal::new(Code::TooLarge, "The body is larger than this route takes.");
    refusal.with(|evidence| evidence.limit = Some(LimitHit { name, most: bytes_max as u64 }))
}

fn broken_off() -> Refusal {
    Refusal::invalid("body", "The body broke off. Nothing was begun; send it again.")
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use futures::{StreamExt, stream};
    use tokio::time::timeout;

    use super::*;

    const LIMITS: BodyLimits = BodyLimits {
        pool: PoolLimits { all: 40, plans: 20, plans_per_address: 15 },
        per_address_max: 2,
        timeout: Duration::from_secs(5),
        bytes_per_second_min: 10,
        time_max: Duration::from_secs(7),
    };
    const LIMIT: BodySizeLimit = BodySizeLimit { name: "largest_body", bytes_max: 30, is_layout: false };
    const PLAN: BodySizeLimit = BodySizeLimit { name: "largest_layout", bytes_max: 30, is_layout: true };
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

    /// A body of ten bytes per gap; each ten are sent the gap's seconds after the ones before.
    fn slow(gaps: &'static [u64]) -> Body {
        Body::from_stream(stream::iter(gaps).then(|gap| async move {
            let _later = timeout(Duration::from_secs(*gap), std::future::pending::<()>()).await;
            Ok::<_, Infallible>(Bytes::from_static(b"0123456789"))
        }))
    }

    fn stuck() -> Body {
        Body::from_stream(stream::pending::<Result<Bytes, Infallible>>())
    }

    async fn code(reader: &BodyReader, body: Body, address: IpAddr) -> Result<usize, Code> {
        let read = reader.read(body, LIMIT, address).await;
        read.map(|(bytes, _)| bytes.len()).map_err(|refusal| refusal.code)
    }

    #[tokio::test(start_paused = true)]
    async fn body_is_read_up_to_its_size_time_and_rate() {
        let reader = BodyReader::new(LIMITS);
        for (body, expected) in [
            (Body::from("0123456789"), Ok(10)),
            (Body::from(vec![0; 30]), Ok(30)),
            (Body::from(vec![0; 31]), Err(Code::TooLarge)),
            (slow(&[4]), Ok(10)),
            (slow(&[6]), Err(Code::BodyTimeout)),
            // Ten bytes gain a second.
            (slow(&[4, 1]), Ok(20)),
            (slow(&[4, 3]), Err(Code::BodyTimeout)),
            // No body has more than seven seconds.
            (slow(&[4, 1, 1]), Ok(30)),
            (slow(&[4, 1, 3]), Err(Code::BodyTimeout)),
            (slow(&[0, 0, 0, 0]), Err(Code::TooLarge)),
            (stuck(), Err(Code::BodyTimeout)),
        ] {
            assert_eq!(code(&reader, body, HERE).await, expected);
        }
        assert_eq!(reader.pool.free(), (40, 20, 0), "all bytes were given back");
        assert_eq!(reader.unfinished.open(&HERE), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn address_with_too_many_unfinished_bodies_is_refused_and_other_addresses_are_not() {
        let reader = Arc::new(BodyReader::new(LIMITS));
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..2 {
            let reader = Arc::clone(&reader);
            waiting.spawn(async move { code(&reader, stuck(), HERE).await });
        }
        tokio::task::yield_now().await;
        let refusal = reader.read(slow(&[1]), LIMIT, HERE).await.unwrap_err();
        assert_eq!(refusal.code, Code::RateLimited);
        assert_eq!(refusal.evidence.limit, Some(LimitHit { name: "bodies_per_address_max", most: 2 }));
        assert_eq!(
            code(&reader, Body::from("whole"), HERE).await,
            Ok(5),
            "a body that came with its head is read at once"
        );
        assert_eq!(code(&reader, slow(&[1]), THERE).await, Ok(10));
        assert_eq!(waiting.join_all().await, [Err(Code::BodyTimeout); 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn pool_that_is_full_refuses_at_once() {
        let reader = BodyReader::new(LIMITS);
        let (_, first) = reader.read(Body::from(vec![0; 30]), LIMIT, HERE).await.unwrap();
        let refusal = reader.read(Body::from(vec![0; 11]), LIMIT, THERE).await.unwrap_err();
        assert_eq!(refusal.evidence.limit, Some(LimitHit { name: "body_bytes_max", most: 40 }));
        assert_eq!(code(&reader, Body::from(vec![0; 10]), THERE).await, Ok(10));
        drop(first);
        assert_eq!(code(&reader, Body::from(vec![0; 11]), THERE).await, Ok(11));
    }

    #[tokio::test(start_paused = true)]
    async fn plans_have_a_part_of_the_pool_and_each_address_a_part_of_that() {
        let reader = BodyReader::new(LIMITS);
        let plan = async |bytes: usize, address| {
            let read = reader.read(Body::from(vec![0; bytes]), PLAN, address).await;
            read.map(|(_, pooled)| pooled).map_err(|refusal| (refusal.code, refusal.evidence.limit))
        };
        let of_address = (Code::RateLimited, Some(LimitHit { name: "plan_bytes_per_address_max", most: 15 }));
        let of_plans = (Code::Overloaded, Some(LimitHit { name: "plan_bytes_max", most: 20 }));
        assert_eq!(plan(16, HERE).await.unwrap_err(), of_address);
        let first = plan(15, HERE).await.unwrap();
        assert_eq!(plan(1, HERE).await.unwrap_err(), of_address);
        assert_eq!(plan(6, THERE).await.unwrap_err(), of_plans);
        let second = plan(5, THERE).await.unwrap();
        assert_eq!(reader.pool.free(), (20, 0, 2));
        assert_eq!(code(&reader, Body::from(vec![0; 20]), HERE).await, Ok(20), "other bodies are still read");
        drop(first);
        assert!(plan(15, HERE).await.is_ok());
        drop(second);
        assert_eq!(reader.pool.free(), (40, 20, 0), "all bytes were given back");
    }

    #[tokio::test(start_paused = true)]
    async fn unfinished_plan_gives_its_bytes_back() {
        let reader = BodyReader::new(LIMITS);
        let refused = reader.read(slow(&[0, 9]), PLAN, HERE).await.unwrap_err();
        assert_eq!(refused.code, Code::BodyTimeout);
        assert_eq!(reader.pool.free(), (40, 20, 0));
    }
}
