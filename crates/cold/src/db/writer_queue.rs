//! Queues writers of the embedded engine by priority: scans first, then orders and payments, then everything else.
//!
//! Never: starvation, a queue without a bound (P9). Higher priorities overtake a waiter at most [`OVERTAKES_MAX`] times in a row; then a waiter of the
//! lower priority gets the permit.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{DbError, DbResult, PoolClass};

/// How many permits in a row may go to higher priorities while a lower one waits.
const OVERTAKES_MAX: u32 = 4;
/// Further waiters are refused without a wait: they would hardly get a permit before their timeout.
const WAITERS_PER_PRIORITY_MAX: usize = 1_024;
const PRIORITIES: usize = 3;

/// The queue for the one writer connection.
#[derive(Default)]
pub(super) struct WriterQueue(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_taken: bool,
    waiting: [VecDeque<oneshot::Sender<WritePermit>>; PRIORITIES],
    /// How often in a row each priority was overtaken while one of its waiters waited.
    overtaken: [u32; PRIORITIES],
}

/// The right to use the writer connection; dropping it passes it to the next waiter.
pub(super) struct WritePermit(Option<Arc<Mutex<State>>>);

impl WriterQueue {
    /// Waits for a permit. Cancel safe: a permit for a waiter that is gone passes to the next one.
    ///
    /// # Errors
    /// [`DbError::Unavailable`], as for a wait that timed out, where [`WAITERS_PER_PRIORITY_MAX`] of its priority wait already.
    pub(super) async fn acquire(&self, pool_class: PoolClass) -> DbResult<WritePermit> {
        let permit = {
            let mut state = locked(&self.0);
            if state.is_taken {
                let (sender, permit) = oneshot::channel();
                let queue = &mut state.waiting[priority(pool_class)];
                if queue.len() >= WAITERS_PER_PRIORITY_MAX {
                    queue.retain(|waiting| !waiting.is_closed());
                }
                if queue.len() >= WAITERS_PER_PRIORITY_MAX {
                    return Err(DbError::Unavailable(format!(
                        "{WAITERS_PER_PRIORITY_MAX} transactions wait for the writer already"
                    )));
                }
                queue.push_back(sender);
                permit
            } else {
                state.is_taken = true;
                return Ok(WritePermit(Some(Arc::clone(&self.0))));
            }
        };
        // Senders are dropped unused only with the queue, which `self` borrows.
        Ok(permit.await.unwrap_or(WritePermit(None)))
    }
}

/// 0 is the highest.
const fn priority(pool_class: PoolClass) -> usize {
    match pool_class {
        PoolClass::Gate => 0,
        PoolClass::Sale | PoolClass::Display => 1,
        PoolClass::Desk | PoolClass::Jobs | PoolClass::Reports => 2,
    }
}

impl State {
    fn next(&mut self) -> Option<oneshot::Sender<WritePermit>> {
        let waits = |priority: &usize| !self.waiting[*priority].is_empty();
        let may_be_overtaken = |priority: &usize| self.overtaken[*priority] < OVERTAKES_MAX;
        let overdue = (0..PRIORITIES).rev().find(|priority| waits(priority) && !may_be_overtaken(priority));
        let chosen = overdue.or_else(|| (0..PRIORITIES).find(waits))?;
        for priority in 0..PRIORITIES {
            let is_overtaken = priority != chosen && !self.waiting[priority].is_empty();
            self.overtaken[priority] = if is_overtaken { self.overtaken[priority] + 1 } else { 0 };
        }
        self.waiting[chosen].pop_front()
    }
}

impl Drop for WritePermit {
    fn drop(&mut self) {
        let Some(mut queue) = self.0.take() else { return };
        loop {
            let next = {
                let mut state = locked(&queue);
                let next = state.next();
                state.is_taken = next.is_some();
                next
            };
            let Some(next) = next else { return };
            match next.send(WritePermit(Some(queue))) {
                Ok(()) => return,
                // The waiter is gone. Its permit is emptied before it drops, because this drop would otherwise recurse.
                Err(mut unsent) => match unsent.0.take() {
                    Some(back) => queue = back,
                    None => return,
                },
            }
        }
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::future::LocalBoxFuture;

    use super::*;

    /// Waiters in the order of their arrival.
    struct Waiters<'a> {
        writers: &'a WriterQueue,
        waiting: Vec<(&'static str, LocalBoxFuture<'a, DbResult<WritePermit>>)>,
    }

    impl<'a> Waiters<'a> {
        fn join(&mut self, name: &'static str, pool_class: PoolClass) {
            let mut permit = self.writers.acquire(pool_class).boxed_local();
            assert!((&mut permit).now_or_never().is_none(), "{name} has to wait");
            self.waiting.push((name, permit));
        }

        /// The waiter that has the permit now; it gives the permit back.
        fn next(&mut self) -> Option<&'static str> {
            let found = self.waiting.iter_mut().enumerate().find_map(|(at, (_, permit))| {
                let permit = permit.now_or_never()?;
                Some((at, permit))
            });
            let (at, permit) = found?;
            let (name, _) = self.waiting.remove(at);
            drop(permit);
            Some(name)
        }
    }

    #[test]
    fn permits_go_by_priority_and_then_by_arrival() {
        let writers = WriterQueue::default();
        let first = writers.acquire(PoolClass::Jobs).now_or_never().expect("the writer is free");
        let mut waiters = Waiters { writers: &writers, waiting: vec![] };
        waiters.join("jobs", PoolClass::Jobs);
        waiters.join("order 1", PoolClass::Sale);
        waiters.join("scan 1", PoolClass::Gate);
        waiters.join("order 2", PoolClass::Sale);
        waiters.join("scan 2", PoolClass::Gate);
        drop(first);
        let order: Vec<_> = std::iter::from_fn(|| waiters.next()).collect();
        assert_eq!(order, ["scan 1", "scan 2", "order 1", "order 2", "jobs"]);
        assert!(writers.acquire(PoolClass::Jobs).now_or_never().is_some(), "it is free again");
    }

    #[test]
    fn lower_priority_gets_a_permit_after_a_bounded_number_of_overtakes() {
        let writers = WriterQueue::default();
        let first = writers.acquire(PoolClass::Gate).now_or_never().unwrap();
        let mut waiters = Waiters { writers: &writers, waiting: vec![] };
        waiters.join("jobs", PoolClass::Jobs);
        (0..10).for_each(|_| waiters.join("scan", PoolClass::Gate));
        drop(first);
        let order: Vec<_> = std::iter::from_fn(|| waiters.next()).collect();
        assert_eq!(order.iter().position(|name| *name == "jobs"), Some(OVERTAKES_MAX as usize), "{order:?}");
    }

    #[test]
    fn permit_of_a_cancelled_waiter_passes_to_the_next() {
        let writers = WriterQueue::default();
        let first = writers.acquire(PoolClass::Sale).now_or_never().unwrap();
        let mut waiters = Waiters { writers: &writers, waiting: vec![] };
        waiters.join("gone before", PoolClass::Gate);
        waiters.join("gone after", PoolClass::Sale);
        waiters.join("stays", PoolClass::Jobs);
        drop(waiters.waiting.remove(0));
        drop(first);
        drop(waiters.waiting.remove(0));
        assert_eq!(waiters.next(), Some("stays"));
        assert!(writers.acquire(PoolClass::Gate).now_or_never().is_some());
    }

    #[test]
    fn full_priority_refuses_new_waiters_and_blocks_no_other_priority() {
        let writers = WriterQueue::default();
        let first = writers.acquire(PoolClass::Sale).now_or_never().unwrap().unwrap();
        let mut waiters = Waiters { writers: &writers, waiting: vec![] };
        (0..WAITERS_PER_PRIORITY_MAX).for_each(|_| waiters.join("desk", PoolClass::Desk));
        let refused = writers.acquire(PoolClass::Jobs).now_or_never().expect("refused without a wait");
        assert!(matches!(refused, Err(DbError::Unavailable(_))), "of the same priority");
        waiters.join("order", PoolClass::Sale);
        // A cancelled waiter takes up no room.
        drop(waiters.waiting.remove(WAITERS_PER_PRIORITY_MAX / 2));
        waiters.join("jobs", PoolClass::Jobs);
        drop(first);
        let order: Vec<_> = std::iter::from_fn(|| waiters.next()).collect();
        assert_eq!(
            (order.len(), order[0], order[WAITERS_PER_PRIORITY_MAX]),
            (WAITERS_PER_PRIORITY_MAX + 1, "order", "jobs")
        );
    }
}
