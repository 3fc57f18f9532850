//! Checks each class at its limits of requests in flight and of delay, in virtual time.

use std::sync::Arc;

use tokio::time::advance;

use super::*;

const LIMIT: LoadShedLimit = LoadShedLimit { in_flight_max: 20, delay_target: Duration::from_millis(10) };

fn admitted(shed: &LoadShed) -> Vec<Criticality> {
    Criticality::ALL.into_iter().filter(|criticality| shed.admit(*criticality).is_ok()).collect()
}

#[tokio::test(start_paused = true)]
async fn requests_in_flight_shed_the_least_critical_classes_first() {
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
async fn late_work_sheds_the_least_critical_classes_first_and_decays() {
    use Criticality::{Browse, Hold, ScanOrPay};
    for (late_ms, expected) in [
        (19, &Criticality::ALL[..]),
        (20, &[ScanOrPay, Hold, Browse]),
        (40, &[ScanOrPay, Hold]),
        (80, &[ScanOrPay]),
        (160, &[]),
    ] {
        let shed = LoadShed::new(LIMIT);
        shed.record_delay(Duration::from_millis(late_ms));
        assert_eq!(admitted(&shed), expected, "{late_ms} ms late");
        advance(DELAY_HALF_LIFE * 4).await;
        assert_eq!(admitted(&shed), Criticality::ALL, "a second later");
    }
}

#[tokio::test(start_paused = true)]
async fn less_critical_classes_get_a_longer_retry_after() {
    let shed = LoadShed::new(LIMIT);
    shed.record_delay(Duration::from_secs(1));
    let waits = Criticality::ALL.map(|criticality| shed.admit(criticality).map(drop).unwrap_err().retry_after);
    assert!(waits.is_sorted() && waits[0] < waits[3], "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn delay_of_a_late_runtime_is_measured() {
    let shed = Arc::new(LoadShed::new(LIMIT));
    let mut measuring = tokio::task::JoinSet::new();
    measuring.spawn({
        let shed = Arc::clone(&shed);
        async move { shed.measure_delay().await }
    });
    tokio::task::yield_now().await;
    assert_eq!(shed.delay(), Duration::ZERO);
    // Time jumps past the moment at which the task was due, as if the runtime was busy.
    advance(MEASURE_INTERVAL + Duration::from_millis(200)).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(shed.delay() > Duration::from_millis(100), "{:?}", shed.delay());
    measuring.abort_all();
}

#[test]
fn last_place_is_taken_once_under_contention() {
    let shed = LoadShed::new(LoadShedLimit { in_flight_max: 8, ..LIMIT });
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    let admitted = shed.admit(Criticality::ScanOrPay);
                    assert!(shed.in_flight() <= 8 + 4, "at most one uncommitted attempt per thread");
                    drop(admitted);
                }
            });
        }
    });
    assert_eq!(shed.in_flight(), 0);
}
