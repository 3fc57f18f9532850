//! Property of the whole fan-out: under random changes and reconnects every viewer ends with the state of the warm tier.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

#[tokio::test(start_paused = true)]
async fn viewer_that_reconnects_a_thousand_times_ends_with_the_same_map() {
    let clock = Arc::new(ManualClock::default());
    let warm = InterruptibleWarm::new(&clock);
    let nodes = [warm.node(&clock), warm.node(&clock)];
    with_running(&[&nodes[0], &nodes[1]], async {
        let mut rng = StdRng::seed_from_u64(7);
        let (mut steady, mut flaky) = (ClientMap::default(), ClientMap::default());
        let mut steady_frames = watch(&nodes[0], None).await;
        let mut flaky_frames = watch(&nodes[1], None).await;
        let (mut connections, mut resumed_without_snapshot, mut versions) = (0, 0, [0_u32; 100]);
        while connections < 1000 {
            for _ in 0..rng.random_range(0..4) {
                change_something(&warm, &mut rng, &mut versions).await;
            }
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..120))).await;
            while let Some(Some(frame)) = steady_frames.next().now_or_never() {
                steady.read(&frame);
            }
            for _ in 0..rng.random_range(0..3) {
                if let Some(Some(frame)) = flaky_frames.next().now_or_never() {
                    resumed_without_snapshot += usize::from(flaky.read(&frame) == "delta");
                }
            }
            if rng.random_range(0..3) > 0 {
                let node = &nodes[usize::try_from(rng.random_range(0..2)).unwrap()];
                flaky_frames = watch(node, flaky.id).await;
                connections += 1;
            }
            if rng.random_range(0..20) == 0 && warm.store.snapshot(scope()).await.is_ok() {
                steady.drain(&mut steady_frames).await;
                steady.assert_matches(&warm).await;
            }
            if rng.random_range(0..200) == 0 {
                warm.store.clear();
            }
        }
        steady.drain(&mut steady_frames).await;
        flaky.drain(&mut flaky_frames).await;
        steady.assert_matches(&warm).await;
        flaky.assert_matches(&warm).await;
        assert!(
            resumed_without_snapshot > 100,
            "most reconnects need no snapshot, but only {resumed_without_snapshot} deltas"
        );
    })
    .await;
}

/// Makes a random hold, release or decision of cold; an emptied store is loaded first.
async fn change_something(warm: &InterruptibleWarm, rng: &mut StdRng, versions: &mut [u32; 100]) {
    if warm.store.snapshot(scope()).await.is_err() {
        warm.load(scope()).await.unwrap();
        *versions = [0; 100];
    }
    let place = u32::try_from(rng.random_range(0..100)).unwrap();
    let free = warm.store.snapshot(scope()).await.unwrap().places[place as usize] == DisplayState::Free;
    match rng.random_range(0..4) {
        0 if free => {
            warm.free(u64::from(place)).await;
            warm.take(u64::from(place), &[place]).await;
        }
        1 => match warm.store.release(scope(), hold_id(u64::from(place))).await {
            Ok(()) | Err(InventoryError::Refused(_)) => {}
            Err(error) => panic!("{error}"),
        },
        choice => {
            versions[place as usize] += 1;
            let state = if choice == 2 { PlaceState::Sold } else { PlaceState::Free };
            warm.decide(place, state, versions[place as usize]).await;
        }
    }
}
