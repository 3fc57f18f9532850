//! Each class at its edge, by requests in flight and by delay, in virtual time.

use super::*;
use std::sync::Arc;
use tokio::time::advance;

const LIMIT: LoadShedLimit = LoadShedLimit { in_flight: 20, delay: Duration::from_millis(10) };

fn admitted(shed: &LoadShed) -> Vec<Criticality> {
    Criticality::ALL.into_iter().filter(|criticality| shed.admit(*criticality).is_ok()).collect()
}

#[tokio::test(start_paused = true)]
async fn requests_in_flight_shed_from_the_least_critical_side() {
    use Criticality::{Browse, Hold, ScanOrPay};
    for (in_flight, expected) in [
        (0, &Criticality::ALL[..]),
        (9, &Criticality::ALL),
        (10, &[ScanOrPay, Hold, Browse]),
        (13, &[ScanOrPay, Hold, Browse]),
        (14, &[ScanOrPay, Hold]),
        (17, &[ScanOrPay]),
        (19, &[ScanOrPay]),
        (20, &[]),
    ] {
        let shed = LoadShed::new(LIMIT);
        let inside: Vec<_> = (0..in_flight).map(|_| shed.admit(ScanOrPay).unwrap()).collect();
        assert_eq!(admitted(&shed), expected, "{in_flight} in flight");
        assert_eq!(shed.in_flight(), in_flight, "a refusal takes no place");
        drop(inside);
        assert_eq!(shed.in_flight(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn late_work_sheds_from_the_least_critical_side_and_is_forgotten() {
    use Criticality::{Browse, Hold, ScanOrPay};
    for (late_ms, expected) in [
        (19, &Criticality::ALL[..]),
        (20, &[ScanOrPay, Hold, Browse]),
        (40, &[ScanOrPay, Hold]),
        (80, &[ScanOrPay]),
        (160, &[]),
    ] {
        let shed = LoadShed::new(LIMIT);
        shed.started_late(Duration::from_millis(late_ms));
        assert_eq!(admitted(&shed), expected, "{late_ms} ms late");
        advance(HALF_LIFE * 4).await;
        assert_eq!(admitted(&shed), Criticality::ALL, "a second later");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_when_to_come_again_and_the_less_critical_wait_longer() {
    let shed = LoadShed::new(LIMIT);
    shed.started_late(Duration::from_secs(1));
    let waits = Criticality::ALL.map(|criticality| shed.admit(criticality).map(drop).unwrap_err().retry_after);
    assert!(waits.is_sorted() && waits[0] < waits[3], "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn the_watch_sees_a_runtime_that_wakes_late() {
    let shed = Arc::new(LoadShed::new(LIMIT));
    let mut watch = tokio::task::JoinSet::new();
    watch.spawn({
        let shed = Arc::clone(&shed);
        async move { shed.watch().await }
    });
    tokio::task::yield_now().await;
    assert_eq!(shed.delay(), Duration::ZERO);
    // Time jumps over the moment at which the task was due, as when the runtime is busy; then the runtime comes to it.
    advance(LOOK_EVERY + Duration::from_millis(200)).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(shed.delay() > Duration::from_millis(100), "{:?}", shed.delay());
    watch.abort_all();
}

#[test]
fn the_last_place_is_taken_once() {
    let shed = LoadShed::new(LoadShedLimit { in_flight: 8, ..LIMIT });
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    let admitted = shed.admit(Criticality::ScanOrPay);
                    assert!(shed.in_flight() <= 8 + 4, "at most one try over for each thread");
                    drop(admitted);
                }
            });
        }
    });
    assert_eq!(shed.in_flight(), 0);
}
