//! Whose turn it is at the one writer of the embedded engine: who stands at a gate first, then who buys, then everything else.
//!
//! Never: a lane that waits for ever, a queue without an end (P9). The urgent overtake at most [`OVERTAKES`] times in a row; then the others have one turn.
//! A turn ends when it is dropped.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{Error, Lane, Result};

/// So many turns in a row may go to somebody more urgent than one who waits.
const OVERTAKES: u32 = 4;
/// So many of each rank wait; the others are told at once. One who comes after them would hardly have a turn before the wait is over.
const WAITING: usize = 1_024;
/// The urgent, the usual, the others.
const RANKS: usize = 3;

/// The queue for the writer.
#[derive(Default)]
pub(super) struct Turns(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_taken: bool,
    waiting: [VecDeque<oneshot::Sender<Turn>>; RANKS],
    /// How often in a row each rank was passed over while somebody of it waited.
    passed_over: [u32; RANKS],
}

/// The right to write, until it is dropped.
pub(super) struct Turn(Option<Arc<Mutex<State>>>);

impl Turns {
    /// Waits for a turn. Who stops waiting loses nothing but the place; a turn that comes too late goes on to the next.
    ///
    /// # Errors
    /// [`Error::Away`] where [`WAITING`] of its rank wait already, as where one has waited too long: nothing was begun, and it is not tried again at once.
    pub(super) async fn take(&self, lane: Lane) -> Result<Turn> {
        let turn = {
            let mut state = locked(&self.0);
            if state.is_taken {
                let (sender, turn) = oneshot::channel();
                let queue = &mut state.waiting[rank(lane)];
                if queue.len() >= WAITING {
                    queue.retain(|waiting| !waiting.is_closed());
                }
                if queue.len() >= WAITING {
                    return Err(Error::Away(format!("{WAITING} wait for the writer already")));
                }
                queue.push_back(sender);
                turn
            } else {
                state.is_taken = true;
                return Ok(Turn(Some(Arc::clone(&self.0))));
            }
        };
        // A sender is dropped unused with the queue alone, which this one borrows.
        Ok(turn.await.unwrap_or(Turn(None)))
    }
}

const fn rank(lane: Lane) -> usize {
    match lane {
        Lane::Gate => 0,
        Lane::Sale | Lane::Shown => 1,
        Lane::Desk | Lane::Jobs | Lane::Reports => 2,
    }
}

impl State {
    /// Who is next; nobody where nobody waits.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let waits = |rank: &usize| !self.waiting[*rank].is_empty();
        let patient = |rank: &usize| self.passed_over[*rank] < OVERTAKES;
        let impatient = (0..RANKS).rev().find(|rank| waits(rank) && !patient(rank));
        let chosen = impatient.or_else(|| (0..RANKS).find(waits))?;
        for rank in 0..RANKS {
            let is_passed = rank != chosen && !self.waiting[rank].is_empty();
            self.passed_over[rank] = if is_passed { self.passed_over[rank] + 1 } else { 0 };
        }
        self.waiting[chosen].pop_front()
    }
}

impl Drop for Turn {
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
            match next.send(Turn(Some(queue))) {
                Ok(()) => return,
                // Gone meanwhile; taken back rather than dropped, which would come here again.
                Err(mut turn) => match turn.0.take() {
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

    /// Whoever waits, in the order in which they came, and who has had a turn.
    struct Queue<'a> {
        turns: &'a Turns,
        waiting: Vec<(&'static str, LocalBoxFuture<'a, Result<Turn>>)>,
    }

    impl<'a> Queue<'a> {
        fn join(&mut self, name: &'static str, lane: Lane) {
            let mut turn = self.turns.take(lane).boxed_local();
            assert!((&mut turn).now_or_never().is_none(), "{name} has to wait");
            self.waiting.push((name, turn));
        }

        /// The one who has the turn now, who gives it back.
        fn next(&mut self) -> Option<&'static str> {
            let found = self.waiting.iter_mut().enumerate().find_map(|(at, (_, turn))| {
                let turn = turn.now_or_never()?;
                Some((at, turn))
            });
            let (at, turn) = found?;
            let (name, _) = self.waiting.remove(at);
            drop(turn);
            Some(name)
        }
    }

    #[test]
    fn the_gate_goes_first_and_within_a_lane_who_came_first() {
        let turns = Turns::default();
        let first = turns.take(Lane::Jobs).now_or_never().expect("nobody is there");
        let mut queue = Queue { turns: &turns, waiting: vec![] };
        queue.join("jobs", Lane::Jobs);
        queue.join("order 1", Lane::Sale);
        queue.join("scan 1", Lane::Gate);
        queue.join("order 2", Lane::Sale);
        queue.join("scan 2", Lane::Gate);
        drop(first);
        let order: Vec<_> = std::iter::from_fn(|| queue.next()).collect();
        assert_eq!(order, ["scan 1", "scan 2", "order 1", "order 2", "jobs"]);
        assert!(turns.take(Lane::Jobs).now_or_never().is_some(), "it is free again");
    }

    #[test]
    fn nobody_waits_for_ever() {
        let turns = Turns::default();
        let first = turns.take(Lane::Gate).now_or_never().unwrap();
        let mut queue = Queue { turns: &turns, waiting: vec![] };
        queue.join("jobs", Lane::Jobs);
        (0..10).for_each(|_| queue.join("scan", Lane::Gate));
        drop(first);
        let order: Vec<_> = std::iter::from_fn(|| queue.next()).collect();
        assert_eq!(order.iter().position(|name| *name == "jobs"), Some(OVERTAKES as usize), "{order:?}");
    }

    #[test]
    fn a_turn_that_comes_too_late_goes_on() {
        let turns = Turns::default();
        let first = turns.take(Lane::Sale).now_or_never().unwrap();
        let mut queue = Queue { turns: &turns, waiting: vec![] };
        queue.join("gone before", Lane::Gate);
        queue.join("gone after", Lane::Sale);
        queue.join("stays", Lane::Jobs);
        drop(queue.waiting.remove(0));
        drop(first);
        drop(queue.waiting.remove(0));
        assert_eq!(queue.next(), Some("stays"));
        assert!(turns.take(Lane::Gate).now_or_never().is_some());
    }

    #[test]
    fn a_full_rank_says_so_and_stands_in_nobodys_way() {
        let turns = Turns::default();
        let first = turns.take(Lane::Sale).now_or_never().unwrap().unwrap();
        let mut queue = Queue { turns: &turns, waiting: vec![] };
        (0..WAITING).for_each(|_| queue.join("desk", Lane::Desk));
        let refused = turns.take(Lane::Jobs).now_or_never().expect("it is told at once");
        assert!(matches!(refused, Err(Error::Away(_))), "of the same rank");
        queue.join("order", Lane::Sale);
        // Who has gone needs no room.
        drop(queue.waiting.remove(WAITING / 2));
        queue.join("jobs", Lane::Jobs);
        drop(first);
        let order: Vec<_> = std::iter::from_fn(|| queue.next()).collect();
        assert_eq!((order.len(), order[0], order[WAITING]), (WAITING + 1, "order", "jobs"));
    }
}
