//! Which frames viewers get: merged, shared, skipped for slow viewers, restarted after a new epoch.

use super::*;

#[tokio::test(start_paused = true)]
async fn changes_within_a_tick_are_sent_as_one_frame_of_the_last_state() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let node = warm.node(&clock);
    with_running(&[&node], async {
        let mut screen = ClientMap::default();
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
        assert!(screen.drain(&mut frames).await.is_empty(), "one frame contains all changes");
        screen.assert_matches(&warm).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn viewers_share_the_bytes_of_a_frame() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let node = warm.node(&clock);
    with_running(&[&node], async {
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
async fn viewer_slightly_behind_reads_every_frame() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let node = warm.node(&clock);
    with_running(&[&node], async {
        let (mut late, mut quick) = (ClientMap::default(), ClientMap::default());
        let (mut late_frames, mut quick_frames) = (watch(&node, None).await, watch(&node, None).await);
        assert_eq!(late.drain(&mut late_frames).await, ["snapshot"]);
        quick.drain(&mut quick_frames).await;
        for hold in 0..3 {
            warm.take(u64::from(hold), &[hold]).await;
            assert_eq!(quick.drain(&mut quick_frames).await, ["delta"]);
        }
        assert_eq!(late.drain(&mut late_frames).await, ["delta", "delta", "delta"]);
        late.assert_matches(&warm).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn slow_viewer_gets_a_snapshot_instead_of_a_queue() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let node = warm.node(&clock);
    with_running(&[&node], async {
        let (mut slow, mut quick) = (ClientMap::default(), ClientMap::default());
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
        slow.assert_matches(&warm).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn new_epoch_sends_a_snapshot_to_every_viewer() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let node = warm.node(&clock);
    with_running(&[&node], async {
        let mut screen = ClientMap::default();
        let mut frames = watch(&node, None).await;
        warm.load(scope()).await.unwrap();
        warm.take(1, &[0]).await;
        screen.drain(&mut frames).await;
        warm.store.clear();
        warm.load(scope()).await.unwrap();
        assert_eq!(screen.drain(&mut frames).await, ["snapshot"]);
        screen.assert_matches(&warm).await;
        let old = Position { epoch: Epoch(1), seq: 9 };
        let events = ClientMap::default().drain(&mut watch(&node, Some(old)).await).await;
        assert_eq!(events, ["snapshot"], "a position of an old epoch is ignored");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn node_behind_its_viewer_catches_up_before_the_first_frame() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let (ahead, behind) = (warm.node(&clock), warm.node(&clock));
    behind.availability(scope()).await.unwrap();
    warm.take(1, &[5]).await;
    let seen = ahead.availability(scope()).await.unwrap().position();
    // The second node does not run, so only the new subscription makes it read.
    let mut frames = watch(&behind, Some(seen)).await;
    assert_eq!(behind.availability(scope()).await.unwrap().position(), seen);
    assert!(frames.next().now_or_never().is_none(), "the viewer is up to date");

    let future = Position { seq: seen.seq + 1, ..seen };
    let mut frames = watch(&behind, Some(future)).await;
    let mut screen = ClientMap::default();
    assert_eq!(
        screen.read(&frames.next().await.unwrap()),
        "snapshot",
        "a position that never exists is not awaited forever"
    );
}

#[tokio::test(start_paused = true)]
async fn tick_interval_grows_with_the_number_of_viewers() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let limits = FanoutLimits { cost_per_viewer: Duration::from_millis(40), ..FanoutLimits::default() };
    let node = Fanout { limits, ..warm.node(&clock) };
    with_running(&[&node], async {
        let mut viewers = vec![];
        for _ in 0..5 {
            viewers.push(watch(&node, None).await);
        }
        viewers[0].next().await.unwrap();
        let mut gaps = vec![];
        let mut last = tokio::time::Instant::now();
        for round in 0..6 {
            warm.take(round, &[u32::try_from(round).unwrap()]).await;
            viewers[0].next().await.unwrap();
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
