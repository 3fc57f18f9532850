//! Loses a gate's stores at the worst moments: one ticket, one admission, as long as one store that knew survives (P6; docs/adr/0010). No outbox event has
//! reached warm in any of these cases.

use std::time::{Duration, Instant};

use voelgoed_app::error::{CommandError, CommandResult};
use voelgoed_app::scanning::decide_scan::ScanOutcome;
use voelgoed_app::scanning::ports::ScanResult;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::scanning::entry::ScanReason;
use voelgoed_resilience::{Dependency, DependencyHealth};

use super::faulty_store::StoreFault;
use super::fixture::SoldTicket;

const USED: ScanResult = ScanResult::Refused(ScanReason::AlreadyUsed);
const REVOKED: ScanResult = ScanResult::Refused(ScanReason::Revoked);

/// Result, durable, degraded.
fn outcome(scanned: CommandResult<ScanOutcome>) -> (ScanResult, bool, bool) {
    let scanned = scanned.unwrap();
    (scanned.scan.result, scanned.durable, scanned.degraded)
}

fn code<T: std::fmt::Debug>(answer: CommandResult<T>) -> Code {
    match answer {
        Err(CommandError::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn admission_by_cold_is_in_warms_filter_before_the_reply() {
    let sold = SoldTicket::sell().await;
    let (one, two) = (sold.node(), sold.node());
    assert_eq!(outcome(one.scan(&sold.scan_at(0)).await), (ScanResult::Admitted, true, false));
    for node in [&one, &two] {
        node.cold.set(StoreFault::Unavailable);
        assert_eq!(outcome(node.scan(&sold.scan_at(1)).await), (USED, false, true));
    }
}

#[tokio::test]
async fn scan_whose_cold_answer_was_lost_blocks_every_other_scan_of_the_ticket() {
    let sold = SoldTicket::sell().await;
    let (one, two) = (sold.node(), sold.node());
    let (first, second) = (sold.scan_at(0), sold.scan_at(1));
    one.cold.set(StoreFault::LosesAnswer);
    two.cold.set(StoreFault::Unavailable);
    // The first is let in by warm in cold's place: it is the same scan.
    assert_eq!(outcome(one.scan(&first).await), (ScanResult::Admitted, false, true));
    assert_eq!(outcome(two.scan(&second).await), (USED, false, true));
    one.cold.set(StoreFault::None);
    assert_eq!(one.scanning.replay_offline_scans().await.unwrap(), 2);
    assert_eq!(outcome(one.scan(&first).await), (ScanResult::Admitted, true, false));
    assert_eq!(outcome(one.scan(&second).await), (USED, true, false));
}

#[tokio::test]
async fn unresolved_intent_of_a_dead_node_admits_the_same_scan_only() {
    let sold = SoldTicket::sell().await;
    let (one, two) = (sold.node(), sold.node());
    let (first, second) = (sold.scan_at(0), sold.scan_at(1));
    // Warm stores the intent and cold the scan, but both answers are lost, so the device gets no answer.
    one.warm.set(StoreFault::LosesAnswer);
    one.cold.set(StoreFault::LosesAnswer);
    assert_eq!(code(one.scan(&first).await), Code::OfflineRules);
    two.capabilities.report(Dependency::Cold, DependencyHealth::Down);
    assert_eq!(code(two.scan(&second).await), Code::OfflineRules);
    assert_eq!(outcome(two.scan(&first).await), (ScanResult::Admitted, false, true));
    assert_eq!(outcome(two.scan(&second).await), (USED, false, true));
}

#[tokio::test]
async fn two_unresolved_intents_of_one_ticket_admit_neither_scan() {
    let sold = SoldTicket::sell().await;
    let (one, two) = (sold.node(), sold.node());
    let readings = [sold.scan_at(0), sold.scan_at(1)];
    for (node, reading) in [&one, &two].into_iter().zip(&readings) {
        node.warm.set(StoreFault::LosesAnswer);
        node.cold.set(StoreFault::LosesAnswer);
        assert_eq!(code(node.scan(reading).await), Code::OfflineRules);
        node.warm.set(StoreFault::None);
    }
    for reading in &readings {
        assert_eq!(code(one.scan(reading).await), Code::OfflineRules);
    }
    one.cold.set(StoreFault::None);
    assert_eq!(outcome(one.scan(&readings[1]).await), (USED, true, false));
    assert_eq!(outcome(one.scan(&readings[0]).await), (ScanResult::Admitted, true, false));
}

#[tokio::test]
async fn unacknowledged_decision_of_warm_does_not_count_as_an_admission() {
    let sold = SoldTicket::sell().await;
    let (one, two) = (sold.node(), sold.node());
    let (first, second) = (sold.scan_at(0), sold.scan_at(1));
    // Warm executes the call after its caller has given up; in between, a node without warm admitted another person by cold.
    one.capabilities.report(Dependency::Cold, DependencyHealth::Down);
    one.warm.set(StoreFault::LosesAnswer);
    assert_eq!(code(one.scan(&first).await), Code::OfflineRules);
    two.warm.set(StoreFault::Unavailable);
    assert_eq!(outcome(two.scan(&second).await), (ScanResult::Admitted, true, true));
    one.capabilities.report(Dependency::Cold, DependencyHealth::Up);
    one.warm.set(StoreFault::None);
    assert_eq!(outcome(one.scan(&first).await), (USED, true, false));
    assert_eq!(outcome(one.scan(&second).await), (ScanResult::Admitted, true, false));
}

#[tokio::test]
async fn pending_update_reaches_warm_before_warm_decides_alone() {
    let sold = SoldTicket::sell().await;
    let (one, two) = (sold.node(), sold.node());
    one.warm.set(StoreFault::Unavailable);
    assert_eq!(outcome(one.scan(&sold.scan_at(0)).await), (ScanResult::Admitted, true, true));
    // This node knows that warm is behind.
    one.cold.set(StoreFault::Unavailable);
    assert_eq!(code(one.scan(&sold.scan_at(1)).await), Code::OfflineRules);
    one.warm.set(StoreFault::None);
    assert_eq!(outcome(one.scan(&sold.scan_at(1)).await), (USED, false, true));
    two.cold.set(StoreFault::Unavailable);
    assert_eq!(outcome(two.scan(&sold.scan_at(1)).await), (USED, false, true));
}

#[tokio::test]
async fn flushed_update_makes_other_nodes_refuse_the_used_ticket() {
    let sold = SoldTicket::sell().await;
    let (one, two) = (sold.node(), sold.node());
    one.warm.set(StoreFault::Unavailable);
    assert_eq!(outcome(one.scan(&sold.scan_at(0)).await), (ScanResult::Admitted, true, true));
    one.scanning.flush_all_pending().await;
    one.warm.set(StoreFault::None);
    one.scanning.flush_all_pending().await;
    two.cold.set(StoreFault::Unavailable);
    assert_eq!(outcome(two.scan(&sold.scan_at(1)).await), (USED, false, true));
}

#[tokio::test]
async fn refused_scan_leaves_no_unresolved_intent() {
    let sold = SoldTicket::sell().await;
    let node = sold.node();
    let (device, mut late) = sold.scan_at(0);
    late.code = sold.expired_code();
    assert_eq!(outcome(node.scan(&(device, late)).await), (ScanResult::Refused(ScanReason::Expired), true, false));
    node.cold.set(StoreFault::Unavailable);
    assert_eq!(outcome(node.scan(&sold.scan_at(1)).await), (ScanResult::Admitted, false, true));
}

#[tokio::test]
async fn refunded_ticket_is_in_warms_filter_before_the_reply() {
    let sold = SoldTicket::sell().await;
    let (one, two) = (sold.node(), sold.node());
    sold.refund(&one).await.unwrap();
    two.cold.set(StoreFault::Unavailable);
    assert_eq!(outcome(two.scan(&sold.scan_at(0)).await), (REVOKED, false, true));
}

#[tokio::test]
async fn refund_without_warm_reaches_the_filter_with_the_next_flush() {
    let sold = SoldTicket::sell().await;
    let (one, two) = (sold.node(), sold.node());
    one.warm.set(StoreFault::Unavailable);
    sold.refund(&one).await.unwrap();
    one.warm.set(StoreFault::None);
    one.scanning.flush_all_pending().await;
    two.cold.set(StoreFault::Unavailable);
    assert_eq!(outcome(two.scan(&sold.scan_at(0)).await), (REVOKED, false, true));
}

#[tokio::test]
async fn ticket_that_warm_admitted_alone_cannot_be_refunded() {
    let sold = SoldTicket::sell().await;
    let (one, two) = (sold.node(), sold.node());
    let reading = sold.scan_at(0);
    one.cold.set(StoreFault::Unavailable);
    assert_eq!(outcome(one.scan(&reading).await), (ScanResult::Admitted, false, true));
    assert_eq!(code(sold.refund(&two).await), Code::TicketUsed);
    one.cold.set(StoreFault::None);
    assert_eq!(outcome(one.scan(&reading).await), (ScanResult::Admitted, true, false));
}

#[tokio::test]
async fn warm_decides_a_scan_that_cold_does_not_answer_in_time() {
    let sold = SoldTicket::sell().await;
    let node = sold.node();
    let (first, second) = (sold.scan_at(0), sold.scan_at(1));
    node.cold.set(StoreFault::Hangs);
    let waited = Instant::now();
    assert_eq!(outcome(node.scan(&first).await), (ScanResult::Admitted, false, true));
    assert!(waited.elapsed() >= Duration::from_secs(2), "cold had its time");
    node.cold.set(StoreFault::None);
    assert_eq!(outcome(node.scan(&second).await), (USED, true, false));
    assert_eq!(outcome(node.scan(&first).await), (ScanResult::Admitted, true, false));
}

#[tokio::test]
async fn cold_decides_a_scan_while_warm_does_not_answer() {
    let sold = SoldTicket::sell().await;
    let (one, two) = (sold.node(), sold.node());
    one.warm.set(StoreFault::Hangs);
    assert_eq!(outcome(one.scan(&sold.scan_at(0)).await), (ScanResult::Admitted, true, true));
    // Warm has not acknowledged the update, so this node cannot refuse the ticket yet.
    one.cold.set(StoreFault::Unavailable);
    assert_eq!(code(one.scan(&sold.scan_at(1)).await), Code::OfflineRules);
    assert_eq!(outcome(two.scan(&sold.scan_at(1)).await), (USED, true, false));
}
