//! Stale views, ends of streams, limits, eviction, idle events, and the `SeatView` port.

use super::*;

#[tokio::test(start_paused = true)]
async fn silence_of_the_warm_tier_is_shown_as_stale_until_it_answers() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let node = warm.node(&clock);
    with_running(&[&node], async {
        let mut screen = ClientMap::default();
        let mut frames = watch(&node, None).await;
        screen.drain(&mut frames).await;
        let live = node.availability(scope()).await.unwrap();
        warm.is_down.store(true, Ordering::Relaxed);
        clock.advance(10);
        assert!(screen.drain(&mut frames).await.is_empty(), "ten seconds still count as live");
        assert!(!live.is_stale(clock.now()));
        clock.advance(1);
        assert_eq!(screen.drain(&mut frames).await, ["stale"]);
        let view = node.availability(scope()).await.unwrap();
        let body: Value = serde_json::from_slice(&view.json(clock.now())).unwrap();
        assert_eq!((&body["stale"], &body["at"]), (&Value::Bool(true), &Value::from("1970-01-01T00:00:00Z")));
        assert!(view.etag(clock.now()).ends_with(":stale\""));
        warm.is_down.store(false, Ordering::Relaxed);
        assert_eq!(screen.drain(&mut frames).await, ["delta"], "an empty delta marks the view as live again");
        warm.take(1, &[0]).await;
        assert_eq!(screen.drain(&mut frames).await, ["delta"]);
        screen.assert_matches(&warm).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn streams_send_keep_alives_and_end_with_the_event_or_the_node() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let node = warm.node(&clock);
    with_running(&[&node], async {
        let mut frames = watch(&node, None).await;
        frames.next().await.unwrap();
        let alive = frames.next().await.unwrap();
        assert_eq!(ClientMap::default().read(&alive), "comment");
        node.end(scope()).await;
        assert_eq!(ClientMap::default().read(&frames.next().await.unwrap()), "ended");
        assert!(frames.next().await.is_none());
    })
    .await;
    let node = warm.node(&clock);
    let mut frames = watch(&node, None).await;
    frames.next().await.unwrap();
    node.run(async {}).await;
    assert!(frames.next().await.is_none(), "the node stopped");
    assert!(node.subscribe(scope(), None).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn viewers_and_events_beyond_the_limits_are_refused_and_idle_events_are_evicted() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let limits = FanoutLimits { viewers_max: 2, events_max: 1, ..FanoutLimits::default() };
    let node = Fanout { limits, ..warm.node(&clock) };
    let other = EventScope { event: EventId::from_uuid(Uuid::from_u128(3)), ..scope() };
    with_running(&[&node], async {
        let watching = [watch(&node, None).await, watch(&node, None).await];
        assert!(node.subscribe(scope(), None).await.is_err(), "a third viewer");
        assert!(node.availability(other).await.is_err(), "a second event");
        clock.advance(601);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(node.feeds.contains_key(&scope()), "watched events stay");
        drop(watching);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(node.availability(other).await.is_ok(), "the idle event was evicted");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn event_with_the_oldest_read_is_evicted_for_a_new_one() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let limits = FanoutLimits { events_max: 2, ..FanoutLimits::default() };
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
async fn idle_event_is_not_polled_and_is_refreshed_by_its_next_read() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let node = warm.node(&clock);
    with_running(&[&node], async {
        let before = node.availability(scope()).await.unwrap().position();
        clock.advance(60);
        tokio::time::sleep(Duration::from_secs(3)).await;
        let read_at = node.feeds.get(&scope()).unwrap().view().unwrap().at();
        clock.advance(60);
        tokio::time::sleep(Duration::from_secs(30)).await;
        let later = node.feeds.get(&scope()).unwrap().view().unwrap().at();
        assert_eq!(later, read_at, "an idle event is not read");
        let view = node.availability(scope()).await.unwrap();
        assert!(view.at() > later && view.position() >= before, "the next read refreshes the view");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn seat_view_port_returns_a_newer_view_on_request() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let node = warm.node(&clock);
    let view = node.current(scope()).await.unwrap();
    assert!(!view.is_taken(PlaceNumber(7)));
    warm.take(1, &[7]).await;
    let newer = node.newer_than(scope(), view.position()).await.unwrap();
    assert!(newer.is_taken(PlaceNumber(7)));
    assert!(newer.position() > view.position());
    assert!(newer.is_taken(PlaceNumber(1_000_000)), "a place that does not exist is never free");
}
