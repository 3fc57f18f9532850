//! Reports, combinations and what `/readyz` shows.

use super::*;
use crate::capability::Degradation;

#[test]
fn what_is_reported_by_one_is_seen_by_all() {
    let capabilities = Capabilities::new();
    let elsewhere = capabilities.clone();
    assert_eq!(capabilities.may(Capability::Hold), Answer::Yes);
    elsewhere.report(Dependency::Warm, Health::Down);
    assert!(matches!(capabilities.may(Capability::Hold), Answer::Refused { code: "try_again", .. }));
    assert_eq!(capabilities.may(Capability::Scan), Answer::Degraded { why: Degradation::ColdDecides });
    elsewhere.report(Dependency::Warm, Health::Up);
    assert_eq!(capabilities.may(Capability::Hold), Answer::Yes);
}

#[test]
fn two_things_away_are_worse_than_each_alone() {
    let capabilities = Capabilities::new();
    capabilities.report(Dependency::Cold, Health::ReplicaOnly);
    assert_eq!(capabilities.may(Capability::Scan), Answer::Degraded { why: Degradation::WarmDecides });
    capabilities.report(Dependency::Warm, Health::Down);
    assert!(matches!(capabilities.may(Capability::Scan), Answer::Refused { .. }), "offline rules at the gate");
    capabilities.report(Dependency::PaymentProvider, Health::Down);
    assert!(matches!(capabilities.may(Capability::OrderAndPay), Answer::Refused { .. }));
}

#[test]
fn readiness_is_readable_as_json() {
    let capabilities = Capabilities::new();
    capabilities.report(Dependency::Cold, Health::Down);
    let json = serde_json::to_value(capabilities.current()).unwrap();
    assert_eq!(json["dependencies"][1], serde_json::json!({"dependency": "cold", "health": "down"}));
    let of = |name: &str| {
        let all = json["capabilities"].as_array().unwrap();
        all.iter().find(|line| line["capability"] == name).unwrap().clone()
    };
    assert_eq!(
        of("hold"),
        serde_json::json!({"capability": "hold", "answer": "refused", "code": "try_again", "retry_after": 10})
    );
    assert_eq!(of("scan"), serde_json::json!({"capability": "scan", "answer": "degraded", "why": "warm_decides"}));
}

#[test]
fn a_change_is_counted_once_and_a_repeat_not_at_all() {
    let exporter = voelgoed_telemetry::install("test");
    let capabilities = Capabilities::new();
    for _ in 0..3 {
        capabilities.report(Dependency::PaymentProvider, Health::ReplicaOnly);
    }
    let text = exporter.render();
    assert!(text.lines().any(|line| line.starts_with("voelgoed_dependency_changes_total{")
        && line.contains("dependency=\"payment_provider\",health=\"replica_only\"")
        && line.ends_with(" 1")));
}
