//! Viewers as they are: steady, slow, coming and going, moving between nodes; each must end with the same map.

mod screen;
mod warm;

use std::future::{Future, pending};

use futures::{FutureExt, StreamExt};
use serde_json::Value;
use uuid::Uuid;
use voelgoed_app::ticketing::ports::InventoryError;
use voelgoed_app::ticketing::seat_view::SeatView;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::ticketing::place::{Epoch, PlaceNumber, PlaceState, Shown};

use self::screen::{Frames, Screen};
use self::warm::{Warm, hold_id, scope};
use super::*;
use crate::testing::Clock;

async fn watch(node: &Fanout, since: Option<Position>) -> Frames {
    Box::pin(node.subscribe(scope(), since).await.unwrap())
}

/// Runs nodes beside a test, until the test ends.
async fn beside<T>(nodes: &[&Fanout], test: impl Future<Output = T>) -> T {
    let running = futures::future::join_all(nodes.iter().map(|node| node.run(pending())));
    tokio::select! {
        outcome = test => outcome,
        _ = running => unreachable!("nodes run until they are stopped"),
    }
}

/// A small linear congruential generator: the same run each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test(start_paused = true)]
async fn a_viewer_that_comes_and_goes_a_thousand_times_ends_with_the_same_map() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let nodes = [warm.node(&clock), warm.node(&clock)];
    beside(&[&nodes[0], &nodes[1]], async {
        let mut dice = Dice(7);
        let (mut steady, mut flaky) = (Screen::default(), Screen::default());
        let mut steady_frames = watch(&nodes[0], None).await;
        let mut flaky_frames = watch(&nodes[1], None).await;
        let (mut connections, mut resumed_without_snapshot, mut versions) = (0, 0, [0_u32; 100]);
        while connections < 1000 {
            for _ in 0..dice.roll(4) {
                change_something(&warm, &mut dice, &mut versions).await;
            }
            tokio::time::sleep(Duration::from_millis(dice.roll(120))).await;
            while let Some(Some(frame)) = steady_frames.next().now_or_never() {
                steady.read(&frame);
            }
            for _ in 0..dice.roll(3) {
                if let Some(Some(frame)) = flaky_frames.next().now_or_never() {
                    resumed_without_snapshot += usize::from(flaky.read(&frame) == "delta");
                }
            }
            if dice.roll(3) > 0 {
                let node = &nodes[usize::try_from(dice.roll(2)).unwrap()];
                flaky_frames = watch(node, flaky.id).await;
                connections += 1;
            }
            if dice.roll(20) == 0 && warm.store.snapshot(scope()).await.is_ok() {
                steady.drain(&mut steady_frames).await;
                steady.agrees_with(&warm).await;
            }
            if dice.roll(200) == 0 {
                warm.store.clear();
            }
        }
        steady.drain(&mut steady_frames).await;
        flaky.drain(&mut flaky_frames).await;
        steady.agrees_with(&warm).await;
        flaky.agrees_with(&warm).await;
        assert!(
            resumed_without_snapshot > 100,
            "most returns need no snapshot, but only {resumed_without_snapshot} deltas"
        );
    })
    .await;
}

/// A hold, a release or a decision of cold; an emptied store is loaded first.
async fn change_something(warm: &Warm, dice: &mut Dice, versions: &mut [u32; 100]) {
    if warm.store.snapshot(scope()).await.is_err() {
        warm.load(scope()).await.unwrap();
        *versions = [0; 100];
    }
    let place = u32::try_from(dice.roll(100)).unwrap();
    let free = warm.store.snapshot(scope()).await.unwrap().places[place as usize] == Shown::Free;
    match dice.roll(4) {
        0 if free => {
            warm.free(u64::from(place)).await;
            warm.take(u64::from(place), &[place]).await;
        }
        1 => match warm.store.release(scope(), hold_id(u64::from(place))).await {
            Ok(()) | Err(InventoryError::Refused(_)) => {}
            Err(error) => panic!("{error}"),
        },
        roll => {
            versions[place as usize] += 1;
            let state = if roll == 2 { PlaceState::Sold } else { PlaceState::Free };
            warm.decide(place, state, versions[place as usize]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_within_a_tick_is_told_as_its_last_state() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let node = warm.node(&clock);
    beside(&[&node], async {
        let mut screen = Screen::default();
        let mut frames = watch(&node, None).await;
        assert_eq!(screen.drain(&mut frames).await, ["snapshot"]);
        warm.take(1, &[3, 4, 50, 51]).await;
        warm.free(1).await;
        warm.take(2, &[4]).await;
        let frame = frames.next().await.unwrap();
        let text = std::str::from_utf8(&frame).unwrap();
        assert!(text.starts_with("id: 1:3\nevent: delta\n"), "{text}");
        assert!(text.contains(r#""changes":[[3,0],[4,1]]"#), "{text}");
        screen.read(&frame);
        assert!(screen.drain(&mut frames).await.is_empty(), "one frame told it all");
        screen.agrees_with(&warm).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn viewers_share_the_bytes_of_a_frame() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let node = warm.node(&clock);
    beside(&[&node], async {
        let (mut one, mut two) = (watch(&node, None).await, watch(&node, None).await);
        let (first, second) = (one.next().await.unwrap(), two.next().await.unwrap());
        assert_eq!(first.as_ptr(), second.as_ptr(), "snapshots too");
        warm.take(1, &[0]).await;
        let (first, second) = (one.next().await.unwrap(), two.next().await.unwrap());
        assert_eq!(first.as_ptr(), second.as_ptr());
        assert_eq!((node.viewers(scope()), node.all_viewers()), (2, 2));
        drop((one, two));
        assert_eq!((node.viewers(scope()), node.all_viewers()), (0, 0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_viewer_a_little_behind_reads_every_frame() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let node = warm.node(&clock);
    beside(&[&node], async {
        let (mut late, mut quick) = (Screen::default(), Screen::default());
        let (mut late_frames, mut quick_frames) = (watch(&node, None).await, watch(&node, None).await);
        assert_eq!(late.drain(&mut late_frames).await, ["snapshot"]);
        quick.drain(&mut quick_frames).await;
        for hold in 0..3 {
            warm.take(u64::from(hold), &[hold]).await;
            assert_eq!(quick.drain(&mut quick_frames).await, ["delta"]);
        }
        assert_eq!(late.drain(&mut late_frames).await, ["delta", "delta", "delta"]);
        late.agrees_with(&warm).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_viewer_gets_a_snapshot_instead_of_a_queue() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let node = warm.node(&clock);
    beside(&[&node], async {
        let (mut slow, mut quick) = (Screen::default(), Screen::default());
        let mut slow_frames = watch(&node, None).await;
        let mut quick_frames = watch(&node, None).await;
        slow.drain(&mut slow_frames).await;
        for round in 0..60 {
            warm.take(round, &[u32::try_from(round).unwrap() % 40]).await;
            quick.drain(&mut quick_frames).await;
            warm.free(round).await;
        }
        let events = slow.drain(&mut slow_frames).await;
        assert_eq!(events.first().map(String::as_str), Some("snapshot"));
        assert!(events.len() < 3, "{events:?}");
        slow.agrees_with(&warm).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_new_epoch_starts_everyone_anew() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let node = warm.node(&clock);
    beside(&[&node], async {
        let mut screen = Screen::default();
        let mut frames = watch(&node, None).await;
        warm.load(scope()).await.unwrap();
        warm.take(1, &[0]).await;
        screen.drain(&mut frames).await;
        warm.store.clear();
        warm.load(scope()).await.unwrap();
        assert_eq!(screen.drain(&mut frames).await, ["snapshot"]);
        screen.agrees_with(&warm).await;
        let old = Position { epoch: Epoch(1), seq: 9 };
        let events = Screen::default().drain(&mut watch(&node, Some(old)).await).await;
        assert_eq!(events, ["snapshot"], "an old position is of no use");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_node_behind_its_viewer_catches_up_first() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let (ahead, behind) = (warm.node(&clock), warm.node(&clock));
    behind.availability(scope()).await.unwrap();
    warm.take(1, &[5]).await;
    let seen = ahead.availability(scope()).await.unwrap().position();
    // The second node does not run, so nothing but the viewer's own arrival makes it read.
    let mut frames = watch(&behind, Some(seen)).await;
    assert_eq!(behind.availability(scope()).await.unwrap().position(), seen);
    assert!(frames.next().now_or_never().is_none(), "it has everything already");

    let future = Position { seq: seen.seq + 1, ..seen };
    let mut frames = watch(&behind, Some(future)).await;
    let mut screen = Screen::default();
    assert_eq!(screen.read(&frames.next().await.unwrap()), "snapshot", "what never comes is not waited for");
}

#[tokio::test(start_paused = true)]
async fn silence_of_the_warm_tier_is_told_and_taken_back() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let node = warm.node(&clock);
    beside(&[&node], async {
        let mut screen = Screen::default();
        let mut frames = watch(&node, None).await;
        screen.drain(&mut frames).await;
        let live = node.availability(scope()).await.unwrap();
        warm.away.store(true, Ordering::Relaxed);
        clock.advance(10);
        assert!(screen.drain(&mut frames).await.is_empty(), "ten seconds pass as live");
        assert!(!live.is_stale(clock.now()));
        clock.advance(1);
        assert_eq!(screen.drain(&mut frames).await, ["stale"]);
        let view = node.availability(scope()).await.unwrap();
        let body: Value = serde_json::from_slice(&view.json(clock.now())).unwrap();
        assert_eq!((&body["stale"], &body["at"]), (&Value::Bool(true), &Value::from("1970-01-01T00:00:00Z")));
        assert!(view.etag(clock.now()).ends_with(":stale\""));
        warm.away.store(false, Ordering::Relaxed);
        assert_eq!(screen.drain(&mut frames).await, ["delta"], "an empty delta says live again");
        warm.take(1, &[0]).await;
        assert_eq!(screen.drain(&mut frames).await, ["delta"]);
        screen.agrees_with(&warm).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn streams_end_with_the_event_or_the_node_and_live_meanwhile() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let node = warm.node(&clock);
    beside(&[&node], async {
        let mut frames = watch(&node, None).await;
        frames.next().await.unwrap();
        let alive = frames.next().await.unwrap();
        assert_eq!(Screen::default().read(&alive), "comment");
        node.end(scope()).await;
        assert_eq!(Screen::default().read(&frames.next().await.unwrap()), "ended");
        assert!(frames.next().await.is_none());
    })
    .await;
    let node = warm.node(&clock);
    let mut frames = watch(&node, None).await;
    frames.next().await.unwrap();
    node.run(async {}).await;
    assert!(frames.next().await.is_none(), "the node went");
    assert!(node.subscribe(scope(), None).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn limits_hold_and_idle_events_are_let_go() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let limits = FanoutLimits { viewers: 2, events: 1, ..FanoutLimits::default() };
    let node = Fanout { limits, ..warm.node(&clock) };
    let other = EventScope { event: EventId::from_uuid(Uuid::from_u128(3)), ..scope() };
    beside(&[&node], async {
        let watching = [watch(&node, None).await, watch(&node, None).await];
        assert!(node.subscribe(scope(), None).await.is_err(), "a third viewer");
        assert!(node.availability(other).await.is_err(), "a second event");
        clock.advance(601);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(node.feeds.contains_key(&scope()), "watched events stay");
        drop(watching);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(node.availability(other).await.is_ok(), "its place is free");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn event_that_was_read_longest_ago_gives_way_to_a_new_one() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let limits = FanoutLimits { events: 2, ..FanoutLimits::default() };
    let node = Fanout { limits, ..warm.node(&clock) };
    let event = |number| EventScope { event: EventId::from_uuid(Uuid::from_u128(number)), ..scope() };
    for number in 10..30 {
        clock.advance(1);
        assert!(node.availability(event(number)).await.is_ok(), "{number}");
        assert!(node.feeds.len() <= 2);
    }
    assert!(node.feeds.contains_key(&event(29)) && node.feeds.contains_key(&event(28)));
}

#[tokio::test(start_paused = true)]
async fn event_that_nobody_uses_is_not_polled_and_is_brought_up_to_date_by_its_next_reader() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let node = warm.node(&clock);
    beside(&[&node], async {
        let before = node.availability(scope()).await.unwrap().position();
        clock.advance(60);
        tokio::time::sleep(Duration::from_secs(3)).await;
        let read_at = node.feeds.get(&scope()).unwrap().view().unwrap().at();
        clock.advance(60);
        tokio::time::sleep(Duration::from_secs(30)).await;
        let later = node.feeds.get(&scope()).unwrap().view().unwrap().at();
        assert_eq!(later, read_at, "nobody asked, so nothing was read");
        let view = node.availability(scope()).await.unwrap();
        assert!(view.at() > later && view.position() >= before, "the next reader has it looked at first");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_application_sees_newer_views_when_it_asks_for_them() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let node = warm.node(&clock);
    let view = node.current(scope()).await.unwrap();
    assert!(!view.is_taken(PlaceNumber(7)));
    warm.take(1, &[7]).await;
    let newer = node.newer_than(scope(), view.position()).await.unwrap();
    assert!(newer.is_taken(PlaceNumber(7)));
    assert!(newer.position() > view.position());
    assert!(newer.is_taken(PlaceNumber(1_000_000)), "no place at all is never free");
}

#[tokio::test(start_paused = true)]
async fn the_tick_stretches_with_the_viewers() {
    let clock = Arc::new(Clock::default());
    let warm = Warm::new(&clock);
    let limits = FanoutLimits { cost_per_viewer: Duration::from_millis(40), ..FanoutLimits::default() };
    let node = Fanout { limits, ..warm.node(&clock) };
    beside(&[&node], async {
        let mut crowd = vec![];
        for _ in 0..5 {
            crowd.push(watch(&node, None).await);
        }
        crowd[0].next().await.unwrap();
        let mut gaps = vec![];
        let mut last = tokio::time::Instant::now();
        for round in 0..6 {
            warm.take(round, &[u32::try_from(round).unwrap()]).await;
            crowd[0].next().await.unwrap();
            gaps.push(last.elapsed());
            last = tokio::time::Instant::now();
        }
        assert!(
            gaps[2..].iter().all(|gap| *gap >= Duration::from_millis(400)),
            "5 × 40 ms, under half a core: {gaps:?}"
        );
    })
    .await;
}
