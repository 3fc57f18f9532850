//! Nodes that share a count, in virtual time; the store is the arithmetic itself, and can be away.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::time::advance;
use voelgoed_resilience::{Dependency, RetryAfter};

use super::*;
use crate::error::{Fault, StoreResult};

const LIMIT: RateLimit = RateLimit { name: "test", burst: 60, per: Duration::from_secs(60), keys: 3 };
const PART_OF_IT: usize = 3;

struct Common {
    begun: Instant,
    full_at: Mutex<HashMap<Caller, i64>>,
    asked: AtomicUsize,
    away: AtomicBool,
}

impl Common {
    fn new() -> Arc<Self> {
        let (asked, away) = (AtomicUsize::new(0), AtomicBool::new(false));
        Arc::new(Self { begun: Instant::now(), full_at: Mutex::default(), asked, away })
    }

    /// A node that counts together with others.
    fn node(self: &Arc<Self>, limit: RateLimit) -> Limiter<IpAddr> {
        Limiter::new(limit, Some(self.clone() as _))
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Allowances for Common {
    async fn spend(&self, limit: RateLimit, caller: &Caller, most: u32) -> StoreResult<Spent> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        // As far as the store is: others get their turn meanwhile.
        tokio::task::yield_now().await;
        if self.away.load(Ordering::Relaxed) {
            return Err(Fault::away(Dependency::Warm, "test"));
        }
        let now = i64::try_from(self.begun.elapsed().as_micros()).unwrap();
        let mut full_at = self.full_at.lock().unwrap();
        let (spent, after) = allowance::spend(limit, now, full_at.get(caller).copied(), most);
        full_at.insert(caller.clone(), after);
        Ok(spent)
    }
}

fn address(last: u8) -> IpAddr {
    [127, 0, 0, last].into()
}

async fn passes(node: &Limiter<IpAddr>, key: IpAddr, tries: usize) -> usize {
    let mut passed = 0;
    for _ in 0..tries {
        passed += usize::from(node.check(&key).await.is_ok());
    }
    passed
}

#[tokio::test(start_paused = true)]
async fn two_nodes_let_one_caller_do_what_one_node_would_and_a_stated_part_more() {
    let common = Common::new();
    let nodes = [common.node(LIMIT), common.node(LIMIT)];
    let mut passed = 0;
    for turn in 0..200 {
        passed += passes(&nodes[turn % 2], address(1), 1).await;
    }
    assert_eq!(passed, 60 + 2 * PART_OF_IT);
    let refused = nodes[0].check(&address(1)).await.unwrap_err();
    assert_eq!((refused.limit, refused.retry_after), (LIMIT, RetryAfter::seconds(1)));
    assert_eq!(passes(&nodes[0], address(2), 10).await, 10, "others are not concerned");
}

#[tokio::test(start_paused = true)]
async fn whoever_writes_a_few_times_costs_no_question_and_a_refused_one_is_asked_about_once() {
    let common = Common::new();
    let node = common.node(LIMIT);
    assert_eq!((passes(&node, address(1), PART_OF_IT).await, common.asked()), (3, 0));
    assert_eq!((passes(&node, address(1), PART_OF_IT).await, common.asked()), (3, 1));
    let elsewhere = common.node(LIMIT);
    assert_eq!(passes(&elsewhere, address(1), 60).await, 57 + PART_OF_IT, "the rest, and its own part");
    let asked = common.asked();
    assert_eq!((passes(&node, address(1), 40).await, common.asked()), (0, asked + 1));
    advance(Duration::from_millis(1_000)).await;
    assert_eq!((passes(&node, address(1), 3).await, common.asked()), (1, asked + 3), "asked again when one fits");
}

#[tokio::test(start_paused = true)]
async fn a_node_without_others_keeps_the_limit_to_the_last_one() {
    let node = Limiter::new(LIMIT, None);
    assert_eq!(passes(&node, address(1), 200).await, 60);
    assert_eq!(passes(&node, address(2), 1).await, 1);
    advance(LIMIT.per).await;
    assert_eq!(passes(&node, address(1), 200).await, 60);
}

#[tokio::test(start_paused = true)]
async fn what_the_node_refuses_itself_is_not_asked_about() {
    let common = Common::new();
    let node = common.node(LIMIT);
    assert_eq!(passes(&node, address(1), 60).await, 60);
    let asked = common.asked();
    assert_eq!((passes(&node, address(1), 100).await, common.asked()), (0, asked));
}

#[tokio::test(start_paused = true)]
async fn while_the_count_is_away_each_node_keeps_its_own_limit() {
    let common = Common::new();
    let nodes = [common.node(LIMIT), common.node(LIMIT)];
    common.away.store(true, Ordering::Relaxed);
    for node in &nodes {
        assert_eq!(passes(node, address(1), 200).await, 60, "neither open nor closed");
    }
    assert_eq!(common.asked(), 2, "after one silence nobody is asked about for a while");
    common.away.store(false, Ordering::Relaxed);
    advance(LIMIT.per).await;
    let both = passes(&nodes[0], address(1), 200).await + passes(&nodes[1], address(1), 200).await;
    assert_eq!(both, 60 + 2 * PART_OF_IT, "and then they count together again");
}

#[tokio::test(start_paused = true)]
async fn a_crowd_of_one_caller_asks_once_for_each_part() {
    let common = Common::new();
    let node = Arc::new(common.node(LIMIT));
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let node = Arc::clone(&node);
        crowd.spawn(async move { node.check(&address(1)).await.is_ok() });
    }
    assert_eq!(crowd.join_all().await.into_iter().filter(|passed| *passed).count(), 30);
    assert_eq!(common.asked(), 30 / PART_OF_IT - 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_is_being_asked_about_is_not_forgotten_meanwhile() {
    let common = Common::new();
    let node = common.node(LIMIT);
    assert_eq!(passes(&node, address(1), PART_OF_IT).await, 3);
    let key = address(1);
    let mut asking = Box::pin(node.check(&key));
    assert!(futures::poll!(&mut asking).is_pending());
    advance(LIMIT.per * 2).await;
    assert_eq!(passes(&node, address(2), 1).await, 1, "and idle ones are swept");
    let mut second = Box::pin(node.check(&key));
    assert!(futures::poll!(&mut second).is_pending(), "it waits for the same answer instead of beginning anew");
    assert!(asking.await.is_ok() && second.await.is_ok());
    assert_eq!(common.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn callers_past_the_limit_are_asked_about_each_time_and_a_small_limit_gives_nothing_unasked() {
    let common = Common::new();
    let node = common.node(LIMIT);
    for last in 1..=3 {
        assert_eq!(passes(&node, address(last), 1).await, 1);
    }
    assert_eq!(common.asked(), 0);
    assert_eq!((passes(&node, address(9), 2).await, common.asked()), (2, 2));
    advance(LIMIT.per).await;
    assert_eq!((passes(&node, address(9), 2).await, common.asked()), (2, 2), "whoever is idle makes room");

    let few = RateLimit { name: "few", burst: 20, ..LIMIT };
    let nodes = [common.node(few), common.node(few)];
    let mut passed = 0;
    for turn in 0..60 {
        passed += passes(&nodes[turn % 2], address(1), 1).await;
    }
    assert_eq!(passed, 20, "to the last one");
}
