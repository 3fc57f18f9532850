//! Checks limits of nodes that share a count, in virtual time; the store computes with `allowance::spend` and can be switched off.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::time::advance;
use voelgoed_resilience::{Dependency, RetryAfter};

use super::*;
use crate::error::{Fault, StoreResult};

const LIMIT: RateLimit = RateLimit { name: "test", burst: 60, per: Duration::from_secs(60), keys_max: 3 };
const PART: usize = 3;

struct SharedCount {
    begun: Instant,
    full_at: Mutex<HashMap<Caller, i64>>,
    calls: AtomicUsize,
    unavailable: AtomicBool,
}

impl SharedCount {
    fn new() -> Arc<Self> {
        let (calls, unavailable) = (AtomicUsize::new(0), AtomicBool::new(false));
        Arc::new(Self { begun: Instant::now(), full_at: Mutex::default(), calls, unavailable })
    }

    /// A node that uses this count.
    fn node(self: &Arc<Self>, limit: RateLimit) -> Limiter<IpAddr> {
        Limiter::new(limit, Some(self.clone() as _))
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Allowances for SharedCount {
    async fn spend(&self, limit: RateLimit, caller: &Caller, wanted: u32) -> StoreResult<SpendOutcome> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        // Other tasks run during the call, as with a remote store.
        tokio::task::yield_now().await;
        if self.unavailable.load(Ordering::Relaxed) {
            return Err(Fault::unavailable(Dependency::Warm, "test"));
        }
        let now = i64::try_from(self.begun.elapsed().as_micros()).unwrap();
        let mut full_at = self.full_at.lock().unwrap();
        let (spent, after) = allowance::spend(limit, now, full_at.get(caller).copied(), wanted);
        full_at.insert(caller.clone(), after);
        Ok(spent)
    }
}

fn address(last: u8) -> IpAddr {
    [127, 0, 0, last].into()
}

async fn passes(node: &Limiter<IpAddr>, key: IpAddr, requests: usize) -> usize {
    let mut passed = 0;
    for _ in 0..requests {
        passed += usize::from(node.check(&key).await.is_ok());
    }
    passed
}

#[tokio::test(start_paused = true)]
async fn caller_of_two_nodes_passes_its_limit_by_one_part_per_node() {
    let count = SharedCount::new();
    let nodes = [count.node(LIMIT), count.node(LIMIT)];
    let mut passed = 0;
    for request in 0..200 {
        passed += passes(&nodes[request % 2], address(1), 1).await;
    }
    assert_eq!(passed, 60 + 2 * PART);
    let refused = nodes[0].check(&address(1)).await.unwrap_err();
    assert_eq!((refused.limit, refused.retry_after), (LIMIT, RetryAfter::seconds(1)));
    assert_eq!(passes(&nodes[0], address(2), 10).await, 10, "another caller has its own allowance");
}

#[tokio::test(start_paused = true)]
async fn few_requests_cost_no_call_and_a_refused_caller_costs_one() {
    let count = SharedCount::new();
    let node = count.node(LIMIT);
    assert_eq!((passes(&node, address(1), PART).await, count.calls()), (3, 0));
    assert_eq!((passes(&node, address(1), PART).await, count.calls()), (3, 1));
    let other_node = count.node(LIMIT);
    assert_eq!(
        passes(&other_node, address(1), 60).await,
        57 + PART,
        "the rest of the allowance, and the other node's own part"
    );
    let calls = count.calls();
    assert_eq!((passes(&node, address(1), 40).await, count.calls()), (0, calls + 1));
    advance(Duration::from_millis(1_000)).await;
    assert_eq!(
        (passes(&node, address(1), 3).await, count.calls()),
        (1, calls + 3),
        "called again when the next request is allowed"
    );
}

#[tokio::test(start_paused = true)]
async fn single_node_keeps_the_exact_limit() {
    let node = Limiter::new(LIMIT, None);
    assert_eq!(passes(&node, address(1), 200).await, 60);
    assert_eq!(passes(&node, address(2), 1).await, 1);
    advance(LIMIT.per).await;
    assert_eq!(passes(&node, address(1), 200).await, 60);
}

#[tokio::test(start_paused = true)]
async fn request_that_the_node_refuses_itself_costs_no_call() {
    let count = SharedCount::new();
    let node = count.node(LIMIT);
    assert_eq!(passes(&node, address(1), 60).await, 60);
    let calls = count.calls();
    assert_eq!((passes(&node, address(1), 100).await, count.calls()), (0, calls));
}

#[tokio::test(start_paused = true)]
async fn each_node_keeps_its_own_limit_while_the_shared_count_is_unavailable() {
    let count = SharedCount::new();
    let nodes = [count.node(LIMIT), count.node(LIMIT)];
    count.unavailable.store(true, Ordering::Relaxed);
    for node in &nodes {
        assert_eq!(passes(node, address(1), 200).await, 60, "neither unlimited nor refused");
    }
    assert_eq!(count.calls(), 2, "one failed call per node, then a delay");
    count.unavailable.store(false, Ordering::Relaxed);
    advance(LIMIT.per).await;
    let both = passes(&nodes[0], address(1), 200).await + passes(&nodes[1], address(1), 200).await;
    assert_eq!(both, 60 + 2 * PART, "and then the nodes share the count again");
}

#[tokio::test(start_paused = true)]
async fn concurrent_requests_of_one_caller_make_one_call_per_part() {
    let count = SharedCount::new();
    let node = Arc::new(count.node(LIMIT));
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let node = Arc::clone(&node);
        requests.spawn(async move { node.check(&address(1)).await.is_ok() });
    }
    assert_eq!(requests.join_all().await.into_iter().filter(|passed| *passed).count(), 30);
    assert_eq!(count.calls(), 30 / PART - 1);
}

#[tokio::test(start_paused = true)]
async fn lease_of_a_running_call_is_not_swept() {
    let count = SharedCount::new();
    let node = count.node(LIMIT);
    assert_eq!(passes(&node, address(1), PART).await, 3);
    let key = address(1);
    let mut first = Box::pin(node.check(&key));
    assert!(futures::poll!(&mut first).is_pending());
    advance(LIMIT.per * 2).await;
    assert_eq!(passes(&node, address(2), 1).await, 1, "a new caller starts a sweep");
    let mut second = Box::pin(node.check(&key));
    assert!(futures::poll!(&mut second).is_pending(), "the second request waits for the call of the first");
    assert!(first.await.is_ok() && second.await.is_ok());
    assert_eq!(count.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn uncached_callers_cost_a_call_per_request_and_a_small_limit_is_exact() {
    let count = SharedCount::new();
    let node = count.node(LIMIT);
    for last in 1..=3 {
        assert_eq!(passes(&node, address(last), 1).await, 1);
    }
    assert_eq!(count.calls(), 0);
    assert_eq!((passes(&node, address(9), 2).await, count.calls()), (2, 2));
    advance(LIMIT.per).await;
    assert_eq!((passes(&node, address(9), 2).await, count.calls()), (2, 2), "idle callers make room");

    let few = RateLimit { name: "few", burst: 20, ..LIMIT };
    let nodes = [count.node(few), count.node(few)];
    let mut passed = 0;
    for request in 0..60 {
        passed += passes(&nodes[request % 2], address(1), 1).await;
    }
    assert_eq!(passed, 20, "exactly the limit");
}
