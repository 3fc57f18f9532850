//! A gate whose stores go away at the worst moment: one ticket, one admission, as long as a store lives that knew (P6; docs/adr/0010). The relay has
//! told nothing yet in any of these.

mod scene;
mod stores;

use voelgoed_app::error::{Error, Result};
use voelgoed_app::scanning::decide::Scanned;
use voelgoed_app::scanning::gate_filter_sync::tell_untold;
use voelgoed_app::scanning::ports::ScanResult;
use voelgoed_app::scanning::replay_offline_scans::replay_offline_scans;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::scanning::entry::ScanReason;
use voelgoed_resilience::{Dependency, Health};

use self::scene::Scene;
use self::stores::Is;

const USED: ScanResult = ScanResult::Refused(ScanReason::AlreadyUsed);
const REVOKED: ScanResult = ScanResult::Refused(ScanReason::Revoked);

/// Result, durable, degraded.
fn told(scanned: Result<Scanned>) -> (ScanResult, bool, bool) {
    let scanned = scanned.unwrap();
    (scanned.scan.result, scanned.durable, scanned.degraded)
}

fn code<T: std::fmt::Debug>(answer: Result<T>) -> Code {
    match answer {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whom_cold_let_in_warm_knows_before_the_answer() {
    let scene = Scene::open().await;
    let (one, two) = (scene.node(), scene.node());
    assert_eq!(told(one.scan(&scene.reading(0)).await), (ScanResult::Admitted, true, false));
    for node in [&one, &two] {
        node.cold.set(Is::Away);
        assert_eq!(told(node.scan(&scene.reading(1)).await), (USED, false, true));
    }
}

#[tokio::test]
async fn where_cold_died_before_it_answered_nobody_else_is_let_in() {
    let scene = Scene::open().await;
    let (one, two) = (scene.node(), scene.node());
    let (first, second) = (scene.reading(0), scene.reading(1));
    one.cold.set(Is::Dying);
    two.cold.set(Is::Away);
    // The first is let in by warm in cold's place: it is the same scan.
    assert_eq!(told(one.scan(&first).await), (ScanResult::Admitted, false, true));
    assert_eq!(told(two.scan(&second).await), (USED, false, true));
    one.cold.set(Is::Up);
    assert_eq!(replay_offline_scans(&one.platform).await.unwrap(), 2);
    assert_eq!(told(one.scan(&first).await), (ScanResult::Admitted, true, false));
    assert_eq!(told(one.scan(&second).await), (USED, true, false));
}

#[tokio::test]
async fn where_the_node_died_too_only_the_same_scan_goes_on() {
    let scene = Scene::open().await;
    let (one, two) = (scene.node(), scene.node());
    let (first, second) = (scene.reading(0), scene.reading(1));
    // Warm hears of it, cold writes it, and the node hears from neither: nobody is told.
    one.warm.set(Is::Dying);
    one.cold.set(Is::Dying);
    assert_eq!(code(one.scan(&first).await), Code::OfflineRules);
    two.platform.capabilities.report(Dependency::Cold, Health::Down);
    assert_eq!(code(two.scan(&second).await), Code::OfflineRules);
    assert_eq!(told(two.scan(&first).await), (ScanResult::Admitted, false, true));
    assert_eq!(told(two.scan(&second).await), (USED, false, true));
}

#[tokio::test]
async fn of_two_that_cold_may_have_let_in_warm_lets_in_neither() {
    let scene = Scene::open().await;
    let (one, two) = (scene.node(), scene.node());
    let readings = [scene.reading(0), scene.reading(1)];
    for (node, reading) in [&one, &two].into_iter().zip(&readings) {
        node.warm.set(Is::Dying);
        node.cold.set(Is::Dying);
        assert_eq!(code(node.scan(reading).await), Code::OfflineRules);
        node.warm.set(Is::Up);
    }
    for reading in &readings {
        assert_eq!(code(one.scan(reading).await), Code::OfflineRules);
    }
    one.cold.set(Is::Up);
    assert_eq!(told(one.scan(&readings[1]).await), (USED, true, false));
    assert_eq!(told(one.scan(&readings[0]).await), (ScanResult::Admitted, true, false));
}

#[tokio::test]
async fn whom_warm_let_in_without_telling_anybody_is_not_in() {
    let scene = Scene::open().await;
    let (one, two) = (scene.node(), scene.node());
    let (first, second) = (scene.reading(0), scene.reading(1));
    // Warm carries it out after its caller has given up; meanwhile cold, which cannot reach warm, has let in somebody else.
    one.platform.capabilities.report(Dependency::Cold, Health::Down);
    one.warm.set(Is::Dying);
    assert_eq!(code(one.scan(&first).await), Code::OfflineRules);
    two.warm.set(Is::Away);
    assert_eq!(told(two.scan(&second).await), (ScanResult::Admitted, true, true));
    one.platform.capabilities.report(Dependency::Cold, Health::Up);
    one.warm.set(Is::Up);
    assert_eq!(told(one.scan(&first).await), (USED, true, false));
    assert_eq!(told(one.scan(&second).await), (ScanResult::Admitted, true, false));
}

#[tokio::test]
async fn what_warm_could_not_be_told_it_is_told_before_it_decides() {
    let scene = Scene::open().await;
    let (one, two) = (scene.node(), scene.node());
    one.warm.set(Is::Away);
    assert_eq!(told(one.scan(&scene.reading(0)).await), (ScanResult::Admitted, true, true));
    // This node knows that warm is behind.
    one.cold.set(Is::Away);
    assert_eq!(code(one.scan(&scene.reading(1)).await), Code::OfflineRules);
    one.warm.set(Is::Up);
    assert_eq!(told(one.scan(&scene.reading(1)).await), (USED, false, true));
    two.cold.set(Is::Away);
    assert_eq!(told(two.scan(&scene.reading(1)).await), (USED, false, true));
}

#[tokio::test]
async fn other_nodes_hear_of_it_as_soon_as_warm_does() {
    let scene = Scene::open().await;
    let (one, two) = (scene.node(), scene.node());
    one.warm.set(Is::Away);
    assert_eq!(told(one.scan(&scene.reading(0)).await), (ScanResult::Admitted, true, true));
    tell_untold(&one.platform).await;
    one.warm.set(Is::Up);
    tell_untold(&one.platform).await;
    two.cold.set(Is::Away);
    assert_eq!(told(two.scan(&scene.reading(1)).await), (USED, false, true));
}

#[tokio::test]
async fn a_refusal_leaves_no_note() {
    let scene = Scene::open().await;
    let node = scene.node();
    let (device, mut late) = scene.reading(0);
    late.code = scene.expired_code();
    assert_eq!(told(node.scan(&(device, late)).await), (ScanResult::Refused(ScanReason::Expired), true, false));
    node.cold.set(Is::Away);
    assert_eq!(told(node.scan(&scene.reading(1)).await), (ScanResult::Admitted, false, true));
}

#[tokio::test]
async fn whom_a_refund_revoked_warm_knows_before_the_answer() {
    let scene = Scene::open().await;
    let (one, two) = (scene.node(), scene.node());
    scene.refund(&one).await.unwrap();
    two.cold.set(Is::Away);
    assert_eq!(told(two.scan(&scene.reading(0)).await), (REVOKED, false, true));
}

#[tokio::test]
async fn a_refund_that_warm_did_not_hear_of_is_told_as_soon_as_it_hears() {
    let scene = Scene::open().await;
    let (one, two) = (scene.node(), scene.node());
    one.warm.set(Is::Away);
    scene.refund(&one).await.unwrap();
    one.warm.set(Is::Up);
    tell_untold(&one.platform).await;
    two.cold.set(Is::Away);
    assert_eq!(told(two.scan(&scene.reading(0)).await), (REVOKED, false, true));
}

#[tokio::test]
async fn whom_warm_let_in_keeps_the_ticket_from_being_refunded() {
    let scene = Scene::open().await;
    let (one, two) = (scene.node(), scene.node());
    let reading = scene.reading(0);
    one.cold.set(Is::Away);
    assert_eq!(told(one.scan(&reading).await), (ScanResult::Admitted, false, true));
    assert_eq!(code(scene.refund(&two).await), Code::TicketUsed);
    one.cold.set(Is::Up);
    assert_eq!(told(one.scan(&reading).await), (ScanResult::Admitted, true, false));
}
